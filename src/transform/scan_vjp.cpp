// scan_vjp.cpp: backpropagation through time, as loops. The backward loop runs from the last step to the first, carries the adjoints
// of the carries and, one for each value that all steps share, the sum of its adjoints so far; each step adds its own
// contributions to that sum one by one, the use nearest to its results first, as the graph of the loop written out would. What a backward step
// reads of its forward step is kept by the forward loop (a tape), or is made again from carries that it kept every so many
// steps. All of it is loops and views, so that it can be differentiated and batched again, and every choice has the same bits. Not the forward loop's rules: scan.cpp.
#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "adjoint/grad.hpp"
#include "ops/batching.hpp"
#include "ops/index_ops.hpp"
#include "transform/chunks.hpp"
#include "transform/scan.hpp"

namespace adjoint {
namespace {

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }
using Numbers = std::vector<std::size_t>;

template <class List> void append(Tensors& to, const List& more) { to.insert(to.end(), more.begin(), more.end()); }

/// Zeros that change no sum, not even one that is -0.
Tensor nothing_yet(const Type& type, Loc loc) { return literal(type, -0.0, loc); }

/// The values of one stretch of a loop, and where its adjoints start.
struct Stretch {
  std::int64_t length = 0;
  Tensors carries, xs;        // operands of the forward loop
  Tensors ct, sums, ct_ys;    // adjoints of the last carries, sums so far, cotangents of the ys that have one
  Tensors shared;             // all operands of the loop: what every step reads alike stands in its place
};
/// What comes out of it.
struct Adjoints {
  Tensors carries, sums, xs;
};

class Backward {
 public:
  /// Cotangents stand by result, empty where there is none; `wants` by operand.
  Backward(const Scan& s, Tensors in, Tensors ct, std::vector<char> wants, Loc loc)
      : s_(s), in_(std::move(in)), cts_(std::move(ct)), wants_(std::move(wants)), body_(*s.body), loc_(loc) {
    while (trace()) {}
  }
  /// The operands that are wanted and reached.
  std::vector<std::int64_t> reached() const;
  /// The adjoint of each operand, empty where there is none. `plan_bytes` are for a loop whose memory is left to the plan; 0: as much as it takes.
  Tensors run(std::int64_t plan_bytes);

 private:
  bool trace();
  void split();
  std::vector<std::int64_t> chunks(std::int64_t plan_bytes) const;
  Tensor expanded(const Tensor& ct, std::size_t y) const;
  Tensor one_later(const Tensor& ct) const;
  Scan forward(const Body& body, std::int64_t length, std::int64_t every) const;
  Adjoints over(const Stretch& stretch, std::span<const std::int64_t> chunks) const;
  Adjoints taped(const Stretch& stretch) const;
  Adjoints chunked(const Stretch& stretch, std::int64_t size, std::span<const std::int64_t> inner) const;
  Tensor piece(const Tensor& sequence, std::int64_t length, std::int64_t first, std::int64_t count) const;

  const Scan& s_;
  const Tensors in_, cts_;
  const std::vector<char> wants_;
  const Body& body_;
  Loc loc_;
  std::unordered_set<std::size_t> live_;  // carries that a cotangent reaches
  Numbers moving_;            // those, in order
  Numbers given_;             // ys that have cotangents
  std::vector<int> is_carry_; // of those: the carry that it is as well, or -1
  Numbers xs_, shared_;       // operands whose adjoints are wanted and there
  // The backward step on the body's graph: stand-ins and results.
  Tensors ct_, ct_ys_, sums_, outputs_;
  std::shared_ptr<const Body> tape_, states_, back_;
  Tensors tape_captured_, states_captured_, back_captured_;
  Numbers read_carries_, read_xs_;  // of the body's inputs: what the backward step reads
};

/// One step backward. A y that is one of the carries is used outside after the steps that follow: its cotangent comes first,
/// one step earlier, as the start of that carry's adjoint. Returns true where more carries were found to have adjoints: then once more.
bool Backward::trace() {
  const auto& cts = cts_;
  moving_.clear(), given_.clear(), is_carry_.clear(), xs_.clear(), shared_.clear();
  for (auto* list : {&ct_, &ct_ys_, &sums_, &outputs_}) list->clear();
  const auto carry_of = [&](std::size_t y) {
    for (std::size_t k = 0; s_.every[y] == 1 && k < at(s_.carries); ++k)
      if (body_.outputs[k].node() == body_.outputs[at(s_.carries) + y].node()) return static_cast<int>(k);
    return -1;
  };
  for (std::size_t y = 0; y < at(s_.ys()); ++y) {
    if (!cts[at(s_.carries) + y]) continue;
    given_.push_back(y), is_carry_.push_back(carry_of(y));
    if (is_carry_.back() >= 0) live_.insert(at(is_carry_.back()));
  }
  Numbers floating;
  for (std::size_t k = 0; k < at(s_.carries); ++k) {
    if (!is_floating(body_.inputs[k].dtype())) continue;
    floating.push_back(k);
    if (cts[k]) live_.insert(k);
    if (live_.contains(k)) moving_.push_back(k);
  }
  Tensors outputs, seeds, wrt;
  const auto seed = [&](const Tensor& value) {
    outputs.push_back(value);
    seeds.push_back(stand_in(value.type(), loc_));
    return seeds.back();
  };
  for (auto k : moving_) ct_.push_back(seed(body_.outputs[k]));
  for (std::size_t g = 0; g < given_.size(); ++g)
    ct_ys_.push_back(seed(is_carry_[g] < 0 ? body_.outputs[at(s_.carries) + given_[g]] : body_.inputs[at(is_carry_[g])]));
  for (std::size_t k = at(s_.carries + s_.xs); k < in_.size(); ++k)
    if (wants_[k] && is_floating(body_.inputs[k].dtype())) shared_.push_back(k), sums_.push_back(seed(body_.inputs[k]));
  for (std::size_t k = at(s_.carries); k < at(s_.carries + s_.xs); ++k)
    if (wants_[k] && is_floating(body_.inputs[k].dtype())) xs_.push_back(k);
  for (const auto* list : {&floating, &shared_, &xs_})
    for (auto k : *list) wrt.push_back(body_.inputs[k]);
  const Tensors d = vjp(outputs, seeds, wrt, loc_);
  // What no contribution reaches has no adjoint: the cotangent is a number, a sum still the stand-in.
  auto next = d.begin();
  bool more = false;
  for (auto k : floating) {
    if (live_.contains(k)) outputs_.push_back(*next);
    else if (next->node()->kind != Kind::literal) more = true, live_.insert(k);
    ++next;
  }
  if (more) return true;
  Numbers reached;
  Tensors sums;
  for (std::size_t k = 0; k < shared_.size(); ++k, ++next)
    if (next->node() != sums_[k].node()) reached.push_back(shared_[k]), sums.push_back(sums_[k]), outputs_.push_back(*next);
  shared_ = std::move(reached), sums_ = std::move(sums), reached.clear();
  for (auto k : xs_) {
    if (next->node()->kind != Kind::literal) reached.push_back(k), outputs_.push_back(*next);
    ++next;
  }
  xs_ = std::move(reached);
  return false;
}

/// Cuts the backward step where it reads the forward step: into what the forward loop keeps, and what runs backward.
void Backward::split() {
  const std::unordered_set<const Node*> forward(body_.nodes.begin(), body_.nodes.end());
  std::unordered_set<const Node*> seen;
  std::vector<Node*> stack;
  Tensors kept;
  for (const auto& t : outputs_) stack.push_back(t.node());
  while (!stack.empty()) {
    Node* n = stack.back();
    stack.pop_back();
    if (!seen.insert(n).second) continue;
    if (forward.contains(n) && !n->prim->alias) kept.push_back(share(n));  // a view is looked at again, for nothing
    else for (Node* operand : n->operands()) stack.push_back(operand);
  }
  const auto reads = [&](std::size_t first, std::size_t last, Numbers& list) {
    for (std::size_t k = first; k < last; ++k)
      if (seen.contains(body_.inputs[k].node())) list.push_back(k);
  };
  reads(0, at(s_.carries), read_carries_);
  reads(at(s_.carries), at(s_.carries + s_.xs), read_xs_);

  const Tensors inputs(body_.inputs.begin(), body_.inputs.begin() + s_.carries + s_.xs);
  const auto with = [&](const auto& more) {
    Tensors outputs = body_.outputs;
    append(outputs, more);
    return outputs;
  };
  Tensors read, states(body_.inputs.begin(), body_.inputs.begin() + s_.carries), backward_inputs;
  for (auto k : read_carries_) read.push_back(body_.inputs[k]);
  append(read, kept);
  for (const auto* list : {&ct_, &sums_, &ct_ys_}) append(backward_inputs, *list);
  for (auto k : read_xs_) backward_inputs.push_back(body_.inputs[k]);
  append(backward_inputs, read);
  const auto set = [](Closed closed, std::shared_ptr<const Body>& body, Tensors& captured) { body = closed.body, captured = std::move(closed.captured); };
  set(close(inputs, with(read)), tape_, tape_captured_);
  set(close(inputs, with(states)), states_, states_captured_);
  set(close(backward_inputs, outputs_), back_, back_captured_);
}

/// The forward loop that also keeps what `body` gives beyond the results of this one.
Scan Backward::forward(const Body& body, std::int64_t length, std::int64_t every) const {
  Scan wide = s_;
  wide.length = length;
  wide.every.resize(body.outputs.size() - at(s_.carries), every);
  wide.chunks.clear();
  wide.base = body_.hash;
  return wide;
}

/// The forward loop keeps what the backward loop reads, of every step.
Adjoints Backward::taped(const Stretch& w) const {
  Scan wide = forward(*tape_, w.length, 1);
  wide.body = tape_;
  Tensors operands = w.carries;
  append(operands, w.xs);
  append(operands, operands_for(body_, w.shared, tape_captured_));
  const Tensors kept = parts_of(scan_node(wide, operands, loc_), wide.layout(loc_), loc_);

  Scan back{.body = back_, .carries = std::ssize(ct_) + std::ssize(sums_), .length = w.length, .reverse = !s_.reverse};
  back.xs = std::ssize(ct_ys_) + std::ssize(read_xs_) + std::ssize(kept) - std::ssize(body_.outputs);
  back.every.assign(back_->outputs.size() - at(back.carries), 1);
  operands = w.ct;
  append(operands, w.sums);
  append(operands, w.ct_ys);
  for (auto k : read_xs_) operands.push_back(w.xs[k - at(s_.carries)]);
  append(operands, std::span(kept).subspan(body_.outputs.size()));
  append(operands, operands_for(body_, w.shared, back_captured_));
  const Tensors out = parts_of(scan_node(back, operands, loc_), back.layout(loc_), loc_);
  const auto first = out.begin(), sums = first + std::ssize(ct_), xs = sums + std::ssize(sums_);
  return {{first, sums}, {sums, xs}, {xs, out.end()}};
}

/// Steps [first, first + count) of a sequence, counted as the forward loop runs.
Tensor Backward::piece(const Tensor& sequence, std::int64_t length, std::int64_t first, std::int64_t count) const {
  return slice_axis(sequence, 0, s_.reverse ? length - first - count : first, count, 1, loc_);
}

/// The forward loop keeps the carries of each `size`-th step; a loop over the chunks, the last first, runs each forward again and back.
Adjoints Backward::chunked(const Stretch& w, std::int64_t size, std::span<const std::int64_t> inner) const {
  const std::int64_t full = (w.length - 1) / size, rest = w.length - full * size;  // the last chunk is by itself: it may be shorter
  Scan wide = forward(*states_, w.length, size);
  wide.body = states_;
  Tensors operands = w.carries;
  append(operands, w.xs);
  append(operands, operands_for(body_, w.shared, states_captured_));
  const Tensors kept = parts_of(scan_node(wide, operands, loc_), wide.layout(loc_), loc_);
  Tensors states(kept.begin() + std::ssize(body_.outputs), kept.end());
  if (size == 1 && s_.reverse)
    for (auto& t : states) t = flip_axis(t, 0, loc_);  // what is kept of every step lies as the sequences do; from here on as the steps run

  Stretch last = w;
  last.length = rest;
  for (std::size_t k = 0; k < states.size(); ++k) last.carries[k] = element(states[k], full, loc_);
  for (auto* list : {&last.xs, &last.ct_ys})
    for (auto& t : *list) t = piece(t, w.length, full * size, rest);
  const Adjoints end = over(last, inner);
  if (full == 0) return end;

  // The loop over full chunks: in the order of the sequences' memory, its elements are chunks.
  const auto chunks_of = [&](const Tensor& t) {
    Shape shape = in_front(full, t.shape());
    shape[1] = size;
    return reshape_node(piece(t, w.length, 0, full * size), shape, loc_);
  };
  Tensors sequences;
  for (const auto& t : states) {
    const Tensor rows = slice_axis(t, 0, 0, full, 1, loc_);
    sequences.push_back(s_.reverse ? flip_axis(rows, 0, loc_) : rows);
  }
  for (const auto* list : {&w.xs, &w.ct_ys})
    for (const auto& t : *list) sequences.push_back(chunks_of(t));
  Stretch one{.length = size, .carries = {}, .xs = {}, .ct = stand_ins(end.carries), .sums = stand_ins(end.sums), .ct_ys = {}, .shared = w.shared};
  Tensors inputs = one.ct, elements;
  append(inputs, one.sums);
  for (const auto& t : sequences) elements.push_back(stand_in({Shape(t.shape().span().subspan(1)), t.dtype()}, loc_));
  append(inputs, elements);
  const auto x0 = elements.begin() + s_.carries, y0 = x0 + s_.xs;
  one.carries.assign(elements.begin(), x0), one.xs.assign(x0, y0), one.ct_ys.assign(y0, elements.end());
  Tensors shared;
  for (std::size_t k = at(s_.carries + s_.xs); k < w.shared.size(); ++k) {
    if (body_.is_number(k)) continue;
    one.shared[k] = stand_in(w.shared[k].type(), loc_);
    inputs.push_back(one.shared[k]), shared.push_back(w.shared[k]);
  }
  const Adjoints step = over(one, inner);
  Tensors outputs = step.carries;
  append(outputs, step.sums);
  append(outputs, step.xs);
  const Closed closed = close(inputs, outputs);
  Scan loop{.body = closed.body, .carries = std::ssize(ct_) + std::ssize(sums_), .xs = std::ssize(sequences), .length = full, .reverse = !s_.reverse};
  loop.every.assign(step.xs.size(), 1);
  operands = end.carries;
  append(operands, end.sums);
  append(operands, sequences);
  append(operands, shared);
  append(operands, closed.captured);
  const Tensors out = parts_of(scan_node(loop, operands, loc_), loop.layout(loc_), loc_);
  Adjoints all{{out.begin(), out.begin() + std::ssize(ct_)}, {out.begin() + std::ssize(ct_), out.begin() + loop.carries}, {}};
  for (std::size_t k = 0; k < step.xs.size(); ++k) {
    Shape shape = step.xs[k].shape();
    shape[0] = full * size;
    Tensors parts{reshape_node(out[at(loop.carries) + k], shape, loc_), end.xs[k]};
    if (s_.reverse) std::swap(parts[0], parts[1]);
    all.xs.push_back(concat_node(parts, 0, loc_));
  }
  return all;
}

Adjoints Backward::over(const Stretch& w, std::span<const std::int64_t> chunks) const {
  while (!chunks.empty() && chunks[0] >= w.length) chunks = chunks.subspan(1);  // one chunk of all is no chunk
  return chunks.empty() ? taped(w) : chunked(w, chunks[0], chunks.subspan(1));
}

/// A cotangent of a y that was kept of some steps, with zeros for the others.
Tensor Backward::expanded(const Tensor& ct, std::size_t y) const {
  if (s_.every[y] == 1) return ct;
  Embedding e{{}, {}, ct.shape()};
  for (int k = 0; k < ct.rank(); ++k) e.start.push_back(0), e.step.push_back(k == 0 ? s_.every[y] : 1);
  e.shape[0] = s_.length;
  const Tensor all = embed_node(ct, e, loc_);
  return s_.reverse ? flip_axis(all, 0, loc_) : all;
}

/// The sequence moved by one step: each element where the step after it finds it. The first step finds nothing.
Tensor Backward::one_later(const Tensor& ct) const {
  Type row = ct.type();
  row.shape[0] = 1;
  Tensors parts{nothing_yet(row, loc_), slice_axis(ct, 0, s_.reverse ? 1 : 0, s_.length - 1, 1, loc_)};
  if (s_.reverse) std::swap(parts[0], parts[1]);
  return concat_node(parts, 0, loc_);
}

std::vector<std::int64_t> Backward::reached() const {
  std::vector<std::int64_t> list;
  for (const auto* numbers : {&moving_, &xs_, &shared_})
    for (auto k : *numbers)
      if (wants_[k]) list.push_back(static_cast<std::int64_t>(k));
  return list;
}

Tensors Backward::run(std::int64_t plan_bytes) {
  Tensors d(in_.size());
  if (outputs_.empty()) return d;
  split();
  Stretch all{.length = s_.length, .carries = {}, .xs = {}, .ct = {}, .sums = {}, .ct_ys = {}, .shared = in_};
  all.carries.assign(in_.begin(), in_.begin() + s_.carries);
  all.xs.assign(in_.begin() + s_.carries, in_.begin() + s_.carries + s_.xs);
  for (auto k : moving_) all.ct.push_back(cts_[k]);
  for (std::size_t g = 0; g < given_.size(); ++g) {
    const Tensor ct = expanded(cts_[at(s_.carries) + given_[g]], given_[g]);
    all.ct_ys.push_back(is_carry_[g] < 0 ? ct : one_later(ct));
    if (is_carry_[g] < 0) continue;
    const auto m = std::ranges::find(moving_, at(is_carry_[g])) - moving_.begin();
    const Tensor end = element(ct, s_.reverse ? 0 : s_.length - 1, loc_);
    auto& start = all.ct[at(m)];
    start = start ? start + end : end;
  }
  for (std::size_t m = 0; m < moving_.size(); ++m)
    if (!all.ct[m]) all.ct[m] = nothing_yet(body_.inputs[moving_[m]].type(), loc_);
  for (auto k : shared_) all.sums.push_back(nothing_yet(in_[k].type(), loc_));
  const Adjoints found = over(all, chunks(plan_bytes));
  for (std::size_t m = 0; m < moving_.size(); ++m)
    if (wants_[moving_[m]]) d[moving_[m]] = found.carries[m];
  for (std::size_t k = 0; k < shared_.size(); ++k) d[shared_[k]] = found.sums[k];
  for (std::size_t k = 0; k < xs_.size(); ++k) d[xs_[k]] = found.xs[k];
  return d;
}

std::int64_t bytes_of(const Tensor& t) { return t.numel() * static_cast<std::int64_t>(size_of(t.dtype())); }

/// Chunks as they were asked for, or the least time within the bytes that a loop may keep.
std::vector<std::int64_t> Backward::chunks(std::int64_t plan_bytes) const {
  const auto bytes = s_.bytes > 0 ? s_.bytes : s_.bytes == Scan::kPlanDecides ? plan_bytes : 0;
  if (bytes <= 0) return s_.chunks;
  ChunkSizes sizes{0, 0};
  for (std::size_t k = body_.outputs.size(); k < tape_->outputs.size(); ++k) sizes.tape += bytes_of(tape_->outputs[k]);
  for (std::size_t k = 0; k < at(s_.carries); ++k) sizes.state += bytes_of(body_.inputs[k]);
  const auto choice = choose_chunks(s_.length, sizes, bytes);
  if (choice.bytes > bytes && s_.bytes > 0)
    throw Error({.op = "scan", .message = "a memory of " + std::to_string(bytes) + " bytes for what this loop keeps for its gradient cannot be met: the smallest possible is " +
                                          std::to_string(choice.bytes), .where = loc_,
                 .hint = "give at least " + std::to_string(choice.bytes) + " bytes, or carry less from step to step"});
  return choice.chunks;
}

/// Which cotangents there are (parts of the loop's bundle) and which operands get an adjoint, for a loop whose own operands come
/// first and whose cotangents come behind them.
struct BackwardLoop {
  Scan scan;
  std::vector<std::int64_t> given, wanted;
  std::uint64_t attr_hash() const {
    std::uint64_t h = scan.attr_hash();
    for (auto k : given) h = mix(h, static_cast<std::uint64_t>(k));
    for (auto k : wanted) h = mix(h, static_cast<std::uint64_t>(k) + 1000);
    for (auto k : scan.chunks) h = mix(h, static_cast<std::uint64_t>(k));
    return mix(h, static_cast<std::uint64_t>(scan.bytes));
  }
  std::string attr_text() const { return scan.attr_text(); }
  std::size_t operands() const { return scan.body->inputs.size(); }
};

Layout layout_of_adjoints(const BackwardLoop& b, const std::vector<Type>& operands, Loc loc) {
  std::vector<Type> types;
  for (auto k : b.wanted) types.push_back(operands[at(k)]);
  return layout_of(std::move(types), "scan_vjp", loc);
}
std::vector<Type> types_of(std::span<Node* const> nodes) {
  std::vector<Type> types;
  for (const Node* n : nodes) types.push_back(n->type);
  return types;
}

const Primitive& scan_vjp_p = define({
    .name = "scan_vjp",
    .infer = [](const Infer& i) -> Type {
      std::vector<Type> types;
      for (std::size_t k = 0; k < i.in.size(); ++k) types.push_back(i.type(k));
      return layout_of_adjoints(i.attrs.as<BackwardLoop>(), types, i.in[0]->where()).bundle;
    },
    .decompose = [](const Node& n) { return backward_loops(n, 0); },
    .family = "D6",
});

}  // namespace

Tensor backward_loops(const Node& n, std::int64_t plan_bytes) {
  const auto& b = n.attrs.as<BackwardLoop>();
  Tensors in, ct(b.scan.body->outputs.size());
  for (std::size_t k = 0; k < b.operands(); ++k) in.push_back(share(n.in[k]));
  for (std::size_t g = 0; g < b.given.size(); ++g) ct[at(b.given[g])] = share(n.in[b.operands() + g]);
  std::vector<char> wants(in.size(), 0);
  for (auto k : b.wanted) wants[at(k)] = 1;
  const Tensors d = Backward(b.scan, in, ct, wants, n.loc).run(plan_bytes);
  Tensors values;
  for (auto k : b.wanted) values.push_back(d[at(k)]);
  return tuple_node(layout_of_adjoints(b, types_of(n.operands()), n.loc), values, n.loc);
}
const Primitive& scan_vjp_primitive() { return scan_vjp_p; }

Tensors scan_vjp(const Vjp& r) {
  const auto& s = r.attrs<Scan>();
  const Loc loc = r.node.loc;
  const Tensors ct = values_of_tuple(r.ct, s.body->outputs.size());
  Tensors d(r.arity()), operands;
  if (s.length == 0) {
    for (std::size_t k = 0; k < at(s.carries); ++k)
      if (r.wants(k) && is_floating(r.node.in[k]->type.dtype)) d[k] = ct[k];
    return d;
  }
  for (std::size_t k = 0; k < r.arity(); ++k) operands.push_back(r.in(k));
  BackwardLoop b{s, {}, Backward(s, operands, ct, {r.wanted.begin(), r.wanted.end()}, loc).reached()};
  if (b.wanted.empty()) return d;
  for (std::size_t k = 0; k < ct.size(); ++k)
    if (ct[k]) b.given.push_back(static_cast<std::int64_t>(k)), operands.push_back(ct[k]);
  const Tensor bundle = apply(scan_vjp_p, operands, b, loc);
  const Layout layout = layout_of_adjoints(b, types_of(bundle.node()->operands()), loc);
  for (std::size_t k = 0; k < b.wanted.size(); ++k) d[at(b.wanted[k])] = part_node(bundle, layout, k, loc);
  return d;
}

}  // namespace adjoint
