#!/usr/bin/env python3
"""Run adjoint and its peers in turns: A, B, C, A, B, C, ...; every sample is a process of its own.

For each workload and thread count, `--blocks` rounds go through all contenders, so that a slow spell of the machine meets all
of them; both sides get the same thread count and as many CPUs. The hardware's peaks are measured before the first workload
and after the last. Appends JSON lines to --out (with fields `contender` and `block`); report.py makes the tables.

A contender is one of --list, or NAME=SCRIPT[:ENVIRONMENT[:ARGUMENTS]], SCRIPT torch, jax or adjoint, ENVIRONMENT a file of
lines VARIABLE=VALUE ($VAR is expanded and has to be set; a line whose value comes out empty is left out). NAME@N takes part in
the first N blocks only, for one that takes long to start.
"""
import argparse
import json
import os
import re
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
SCRIPTS = {"torch": "torch_bench.py", "jax": "jax_bench.py"}
CONTENDERS = {
    "adjoint": "adjoint",
    "adjoint-eager": "adjoint::--eager",
    "torch": "torch",
    "torch-tuned": "torch:torch-tuned.env",
    "torch-compile": "torch:torch-tuned.env:--compile",
    "jax": "jax",
}
WORKLOADS = ["tiny_mlp", "mlp", "lenet", "lenet_epoch", "resnet18_cifar", "elementwise", "layernorm_softmax", "adam_update", "gmm_like"]
# The form of a workload in which a framework is at its best, where it has several (the rest of --variants shows the others).
BEST = {
    "torch": {"tiny_mlp": "tiny_mlp:raw", "lenet_epoch": "lenet_epoch:sliced", "resnet18_cifar": "resnet18_cifar:channels_last",
              "adam_update": "adam_update:fused"},
    "jax": {"lenet_epoch": "lenet_epoch:sliced", "adam_update": "adam_update:plain"},
    "adjoint": {},
}


class Contender:
    def __init__(self, text):
        self.name, _, rest = text.partition("=")
        self.name, _, blocks = self.name.partition("@")
        self.blocks = int(blocks or 1 << 30)
        rest = rest or CONTENDERS.get(self.name) or sys.exit("no contender %s; there are %s" % (text, ", ".join(CONTENDERS)))
        self.script, _, rest = rest.partition(":")
        path, _, arguments = rest.partition(":")
        self.env = environment(os.path.join(HERE, path)) if path else {}
        self.arguments = arguments.split()

    def command(self, workload, threads, args):
        if self.script == "adjoint":
            words = [args.adjoint, "bench", "--json"]
        else:
            words = [args.python, os.path.join(HERE, SCRIPTS[self.script]), "--label", self.name]
        words += ["--threads", str(threads), "--max-seconds", str(args.max_seconds)] + self.arguments
        if workload == "lenet_epoch":
            words += ["--epochs", str(args.epochs), "--fashion-mnist", args.fashion_mnist]
        return words + [workload if args.same_names else BEST[self.script].get(workload, workload)]


def environment(path):
    env = {}
    with open(path) as f:
        lines = [line.strip() for line in f]
    for line in lines:
        if not line or line.startswith("#"):
            continue
        key, _, value = line.partition("=")
        value = os.path.expandvars(value)
        unset = re.search(r"\$\w+", value)
        if unset:
            sys.exit("%s: %s is not set (set it empty to go without %s)" % (path, unset.group(), key))
        if value:
            env[key] = value
    return env


def run(command, env, timeout):
    """The JSON lines that a process prints, and what went wrong."""
    try:
        done = subprocess.run(command, env=dict(os.environ, **env), capture_output=True, text=True, timeout=timeout)
    except subprocess.TimeoutExpired:
        return [], "over %d s" % timeout
    lines = [json.loads(s) for s in done.stdout.splitlines() if s.startswith("{")]
    return lines, "" if done.returncode == 0 else (done.stderr.strip().splitlines() or ["?"])[-1]


class Run:
    def __init__(self, args):
        self.args, self.start, self.out = args, time.time(), open(args.out, "a")

    def sample(self, what, command, env, **fields):
        lines, error = run(command, env, self.args.timeout)
        for line in lines:
            self.out.write(json.dumps(dict(line, **fields)) + "\n")
        self.out.flush()
        said = error or ", ".join("%.6g ms" % x["median_ms"] for x in lines if "median_ms" in x) or "%d lines" % len(lines)
        print("%5.0f s  %-56s %s" % (time.time() - self.start, what, said), flush=True)

    def peaks(self):
        for threads in self.args.threads:
            self.sample("peaks, %d thread(s)" % threads, [sys.executable, os.path.join(HERE, "ceilings.py"), "--threads", str(threads), "--sizes"], {})


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("workloads", nargs="*", help="default: " + " ".join(WORKLOADS))
    p.add_argument("--with", dest="contenders", action="append", help="a contender; default: adjoint, torch-tuned, torch-compile, jax")
    p.add_argument("--list", action="store_true", help="print contenders and workloads and stop")
    p.add_argument("--same-names", action="store_true", help="give each framework the workload's name as it stands, not its best form")
    p.add_argument("--threads", type=int, nargs="*", default=[1, 2])
    p.add_argument("--blocks", type=int, default=5)
    p.add_argument("--max-seconds", type=float, default=2, help="of timed steps in one process (default 2)")
    p.add_argument("--epochs", type=int, default=1, help="of lenet_epoch in one process (default 1)")
    p.add_argument("--fashion-mnist", default=os.environ.get("FASHION_MNIST_DIR", "/usr/share/datasets/fashion-mnist"))
    p.add_argument("--adjoint", default=os.path.join(ROOT, "build/release/bin/adjoint"))
    p.add_argument("--python", default=os.path.join(ROOT, "build/peers-venv/bin/python"), help="of the peers (default: what setup made)")
    p.add_argument("--no-peaks", action="store_true")
    p.add_argument("--timeout", type=float, default=600)
    p.add_argument("--out", default="turns.jsonl")
    args = p.parse_args()
    if args.list:
        return print("\n".join(list(CONTENDERS) + [""] + WORKLOADS))
    contenders = [Contender(c) for c in args.contenders or ["adjoint", "torch-tuned", "torch-compile", "jax"]]
    turns = Run(args)
    if not args.no_peaks:
        turns.peaks()
    for workload in args.workloads or WORKLOADS:
        for threads in args.threads:
            for block in range(args.blocks):
                for c in (c for c in contenders if block < c.blocks):
                    what = "%s, %d thread(s), block %d, %s" % (workload, threads, block, c.name)
                    turns.sample(what, c.command(workload, threads, args), c.env, contender=c.name, workload=workload.split(":")[0], block=block)
    if not args.no_peaks:
        turns.peaks()


if __name__ == "__main__":
    main()
