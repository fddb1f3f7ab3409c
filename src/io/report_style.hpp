// report_style.hpp: the style sheet of reports. Not data: nothing of a run is written into it.
#pragma once

namespace adjoint::io {

inline constexpr const char* kReportStyle = R"css(
:root{color-scheme:light dark;--paper:#fcfbf8;--card:#fff;--ink:#1d1b18;--soft:#6d675e;--rule:#e6e1d8;
--hit:#2f6f9f;--miss:#c2492f;--c0:#24679b;--c1:#d9762b;--c2:#3f8f5d;--c3:#8257a5;--c4:#bb3f53;--c5:#2596a0;--c6:#958a1f;--c7:#c45f99}
@media(prefers-color-scheme:dark){:root{--paper:#151412;--card:#1d1b19;--ink:#ebe7df;--soft:#a09a8f;--rule:#35312b;
--hit:#5fa3d3;--miss:#e9785d;--c0:#6aaede;--c1:#f09b54;--c2:#6cc08c;--c3:#b590d6;--c4:#ea7d8d;--c5:#5cc8d0;--c6:#cdc25a;--c7:#eb93c3}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.55 Inter,"Segoe UI",system-ui,-apple-system,"Helvetica Neue","Liberation Sans",Arial,sans-serif;
font-variant-numeric:tabular-nums;-webkit-font-smoothing:antialiased}
main{max-width:1120px;margin:0 auto;padding:56px 32px 72px}
.over{margin:0;font-size:12px;letter-spacing:.14em;text-transform:uppercase;color:var(--soft)}
h1{margin:.2em 0 .1em;font:600 40px/1.15 Charter,"Iowan Old Style","Palatino Linotype",Georgia,"Liberation Serif",serif;letter-spacing:-.01em}
.sub{margin:0;color:var(--soft);font-size:17px}
h2{margin:56px 0 18px;padding-top:14px;border-top:1px solid var(--rule);font:600 22px/1.3 Charter,"Iowan Old Style","Palatino Linotype",Georgia,"Liberation Serif",serif}
h3{margin:0;font-size:14px;font-weight:600}
.big{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:28px;margin:36px 0 0;padding:0}
.big div{border-left:2px solid var(--hit);padding:2px 0 2px 14px}
.big dt{font-size:13px;color:var(--soft)}
.big dd{margin:2px 0 0;font-size:28px;line-height:1.2;font-weight:600;letter-spacing:-.015em}
.grid2{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,440px),1fr));gap:24px}
figure{margin:0;padding:16px 18px 12px;background:var(--card);border:1px solid var(--rule);border-radius:6px;min-width:0}
.wide{grid-column:1/-1}
figcaption{display:flex;flex-wrap:wrap;align-items:baseline;justify-content:space-between;gap:4px 18px;margin-bottom:8px}
.legend{display:flex;flex-wrap:wrap;gap:2px 16px;margin:0;padding:0;list-style:none;font-size:13px;color:var(--soft)}
.legend b{color:var(--ink);font-weight:600}
.legend i{display:inline-block;width:14px;height:3px;margin:0 6px 3px 0;border-radius:2px;background:var(--s)}
svg{display:block;width:100%;height:auto;overflow:visible}
svg text{font-size:12px;fill:var(--soft)}
.grid{stroke:var(--rule);stroke-width:1;fill:none}
.line{fill:none;stroke:var(--s);stroke-width:1.8;stroke-linejoin:round;stroke-linecap:round}
.band{fill:var(--s);opacity:.2}
.dot{fill:var(--s)}.touch{fill:transparent}.touch:hover{fill:var(--s);fill-opacity:.25}
.s0{--s:var(--c0)}.s1{--s:var(--c1)}.s2{--s:var(--c2)}.s3{--s:var(--c3)}.s4{--s:var(--c4)}.s5{--s:var(--c5)}.s6{--s:var(--c6)}.s7{--s:var(--c7)}
.note,.none{margin:8px 0 2px;font-size:13px;color:var(--soft)}
.alarm{margin:8px 0 2px;font-size:13px;color:var(--miss);font-weight:600}
.heat{display:flex;gap:10px;height:calc(var(--rows)*15px)}
.heat ol{display:flex;flex-direction:column;margin:0;padding:0;list-style:none;font-size:11px;line-height:15px;color:var(--soft);text-align:right;white-space:nowrap}
.heat img{flex:1;min-width:0;height:100%;image-rendering:pixelated;border-radius:3px}
.matrix{max-width:640px}
.matrix text{font-size:11.5px}.matrix .name{fill:var(--ink)}
.matrix .n{text-anchor:middle;fill:var(--ink)}.matrix .on{fill:#fff}
.hit{fill:var(--hit)}.miss{fill:var(--miss)}
.split{display:grid;grid-template-columns:minmax(0,1.5fr) minmax(0,1fr);gap:36px;align-items:start}
@media(max-width:860px){.split{grid-template-columns:1fr}main{padding:32px 18px}h1{font-size:31px}}
table{width:100%;border-collapse:collapse;font-size:14px}
th{font-weight:600;text-align:left;color:var(--soft);font-size:12.5px}
td,th{padding:6px 14px 6px 0;border-bottom:1px solid var(--rule);vertical-align:top}
td:last-child,th:last-child{padding-right:0}
.r{text-align:right}
td.k{color:var(--soft);width:46%}
td.v{overflow-wrap:anywhere}
tfoot td{font-weight:600;border-bottom:0}
.share{position:relative;min-width:84px}
.share i{position:absolute;left:0;bottom:3px;height:2px;background:var(--hit)}
.mono{font-family:ui-monospace,"SF Mono","Cascadia Mono",Menlo,"DejaVu Sans Mono",monospace;font-size:13px}
.mistakes{margin:22px 0 0;padding:0;list-style:none;font-size:14px}
.mistakes li{display:flex;justify-content:space-between;gap:12px;padding:5px 0;border-bottom:1px solid var(--rule)}
.mistakes em{font-style:normal;color:var(--soft)}
.shots{display:grid;grid-template-columns:repeat(auto-fill,minmax(112px,1fr));gap:18px 16px;margin:0;padding:0;list-style:none}
.shots img{display:block;width:100%;aspect-ratio:1;object-fit:contain;image-rendering:pixelated;background:#000;border-radius:4px}
.shots p{margin:6px 0 0;font-size:13px;line-height:1.35}
.shots .said{font-weight:600;display:flex;justify-content:space-between;gap:6px}
.shots .said span{font-weight:400;white-space:nowrap;color:var(--soft)}
.shots .was{color:var(--soft);margin:0}
.shots .bad img{outline:2px solid var(--miss);outline-offset:2px}
.shots .bad .said{color:var(--miss)}
footer{margin-top:56px;padding-top:14px;border-top:1px solid var(--rule);font-size:13px;color:var(--soft);overflow-wrap:anywhere}
@media print{main{padding:0;max-width:none}figure,.shots li,tr{break-inside:avoid}}
)css";

}  // namespace adjoint::io
