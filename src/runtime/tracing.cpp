// tracing.cpp: one run of the user's function on stand-ins, and what it says about every later run. Not the search for a trace and
// not the running of one.
#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "graph/log.hpp"
#include "graph/topo.hpp"
#include "runtime/plan_cache.hpp"
#include "runtime/step.hpp"

namespace adjoint::detail {

std::int64_t bits_of(double number, DType dtype) {
  const Tensor t = literal({Shape{}, dtype}, number, {});
  return literal_bits(*t.node());
}

using From = Source::From;

static thread_local int traces_in_progress = 0;

/// Only a trace hands out such tensors.
bool Call::traced() const {
  return number_traced ||
         (traces_in_progress > 0 && std::ranges::any_of(tensors, [](const Place& p) { return p.tensor->node() && p.tensor->node()->traced; }));
}

struct Tracing::State {
  ~State() { --traces_in_progress; }
  State(Step& s, const Call& c, Loc l) : step(s), call(c), loc(l), lock(s.mutex()), once(s.said()), trace(std::make_shared<Trace>()) { ++traces_in_progress; }
  Step& step;
  const Call& call;
  Loc loc;
  std::unique_lock<std::recursive_mutex> lock;
  const SaidBefore once;
  std::shared_ptr<Trace> trace;
  std::optional<TapeScope> tape;
  Tensors stand_in;                                      // of each leaf
  std::vector<Tensor> keys;                              // of each Key that is a number
  std::unordered_map<const Node*, std::uint32_t> leaf;   // of a stand-in
  std::unordered_map<const Node*, std::uint32_t> output; // of a root
  std::vector<Node*> roots;
  std::size_t places = 0, numbers = 0;                   // of the walk in progress
  bool ran = false;                                      // the function: changed() compares now
  struct Seen {
    std::vector<Tensor> tensors;
    std::vector<Give> gives;
    std::vector<Number> numbers;
    std::vector<std::uint64_t> settings;
  } before, after;
  std::vector<std::pair<std::size_t, std::size_t>> starts;  // of each argument, in the lists of the first walk
  std::size_t argument = 0;
  Seen& seen() { return ran ? after : before; }
  Tensors result;
};

Tracing::Tracing(Step& step, const Call& call, Loc loc) : state_(std::make_unique<State>(step, call, loc)) {
  State& s = *state_;
  Trace& t = *s.trace;
  t.a = call.a, t.b = call.b, t.options = step.options();
  std::unordered_map<const Node*, std::uint32_t> known;
  for (std::uint32_t p = 0; p < call.tensors.size(); ++p) {
    Node* n = call.tensors[p].tensor->node();
    if (!n) {
      t.leaf_of.push_back(-1);
      continue;
    }
    const auto [it, fresh] = known.emplace(n, static_cast<std::uint32_t>(t.leaves.size()));
    t.leaf_of.push_back(static_cast<std::int32_t>(it->second));
    if (fresh) {
      t.leaves.push_back({.first = p});
      Tensor stand = leaf(n->type, nullptr, n->loc);
      Node& m = *stand.node();
      m.traced = true;
      m.wants_grad = bool{n->wants_grad}, m.tracked = bool{n->wants_grad};
      if (n->extra) {
        Extra& extra = extra_of(m);
        extra.name = n->extra->name;
        extra.frozen = n->extra->frozen;
      }
      s.leaf.emplace(&m, it->second);
      s.stand_in.push_back(std::move(stand));
    }
    Trace::Leaf& l = t.leaves[it->second];
    ++l.places;
    l.given_up |= call.tensors[p].give == Give::donate;
    t.gives_up |= l.given_up;
  }
  s.tape.emplace(t.tape);
  for (std::uint32_t i = 0; i < call.numbers.size(); ++i) t.tape.terms.push_back({'i', i, 0, 0});
}
Tracing::~Tracing() = default;

void Tracing::stand_in(Tensor& x) {
  if (const auto l = state_->trace->leaf_of[state_->places++]; l >= 0) x = state_->stand_in[static_cast<std::size_t>(l)];
}
void Tracing::stand_in(Number& n) {
  if (Number::Access::tensor(n)) {
    Tensor t = Number::Access::tensor(n);
    stand_in(t);
    n = Number(t, state_->loc);
    return;
  }
  const auto i = static_cast<std::uint32_t>(state_->numbers++);
  n = state_->trace->tape.number(i, state_->call.numbers[i]);
}
void Tracing::stand_in(Key& k) {
  if (Tensor& t = Key::Access::folded(k)) return stand_in(t);
  Tensor number = scalar_i64(state_->call.keys[state_->keys.size()]);
  number.node()->traced = true;
  state_->keys.push_back(number);
  k = Key::of(number);
}

void Tracing::begin() {
  state_->ran = true;
  state_->argument = 0;
}
/// After the function ran, only what it may change is looked at; the places of the others keep their numbers.
bool Tracing::argument(Give give) {
  State& s = *state_;
  if (!s.ran) {
    s.starts.emplace_back(s.before.tensors.size(), s.before.numbers.size());
    return true;
  }
  const auto [tensors, numbers] = s.starts[s.argument++];
  s.after.tensors.resize(tensors);
  s.after.numbers.resize(numbers);
  return give == Give::change;
}
void Tracing::end() { state_->tape.reset(); }

void Tracing::changed(Tensor& t, Give give) {
  state_->seen().tensors.push_back(t);
  state_->seen().gives.push_back(give);
  if (give == Give::change) setting(static_cast<bool>(t));
}
void Tracing::changed(Number& n, Give give) {
  const Tensor& t = Number::Access::tensor(n);
  if (give == Give::change) setting(static_cast<bool>(t));
  if (t) return changed(const_cast<Tensor&>(t), give);
  state_->seen().numbers.push_back(give == Give::change ? n : Number(0));
}
void Tracing::setting(std::uint64_t value) { state_->seen().settings.push_back(value); }

namespace {

/// The output that computes this value; a new one where none does yet.
Source source_of(auto& s, const Tensor& value, bool as_output) {
  if (!value) return {};
  Node* n = value.node();
  if (const auto it = s.leaf.find(n); it != s.leaf.end()) return {From::leaf, it->second};
  if (!as_output && !n->traced && n->computed()) {
    s.trace->constants.push_back(value);
    return {From::constant, static_cast<std::uint32_t>(s.trace->constants.size() - 1)};
  }
  const auto [it, fresh] = s.output.emplace(n, static_cast<std::uint32_t>(s.roots.size()));
  if (fresh) {
    s.roots.push_back(n);
    s.trace->roots.push_back(value);
    s.trace->update.push_back(n->update);
    s.trace->outputs.push_back({.wants_grad = n->wants_grad, .name = n->extra ? n->extra->name : std::string(), .type = n->type, .loc = n->loc});
  }
  return {From::output, it->second};
}

[[noreturn]] void changed_structure(Step& step, Loc loc) {
  throw Error({.op = "compile", .message = "the step compiled at " + to_string(step.loc()) + " changes a setting or the structure of an argument",
               .where = user_loc(loc),
               .hint = "integers, enums, strings, sizes and what is there or not belong to the plan: only tensors and Numbers of an argument may change. "
                       "Count steps in a tensor; make a Context inside the step, with a key folded by that tensor"});
}

/// Draws whose keys come from no argument are the same in each replay: seldom what is meant.
void warn_constant_keys(const Order& order) {
  for (const Node* n : order.nodes)
    if (n->kind == Kind::op && !n->traced && (n->prim->name == "random_uniform" || n->prim->name == "random_bits"))
      warn_once("constant key", n->loc, "compile: the random numbers drawn at " + to_string(n->loc) +
                " are the same in each step, because their key comes from no argument; pass a Key, or fold in a step tensor: key.fold_in(state.step)");
}

}  // namespace

void Tracing::returned(Tensor& t) {
  State& s = *state_;
  s.trace->results.push_back(source_of(s, t, false));
  t = Tensor();
}
void Tracing::returned(Number& n) {
  if (const Tensor& t = Number::Access::tensor(n)) {
    Tensor value = t;
    returned(value);
    n = Number(0);
    state_->trace->result_numbers.push_back(Trace::kTensor);
    return;
  }
  state_->trace->result_numbers.push_back(state_->trace->tape.term_of(n));
}

void Tracing::finish(std::shared_ptr<const void> prototype) {
  State& s = *state_;
  Trace& t = *s.trace;
  if (s.before.settings != s.after.settings) changed_structure(s.step, s.loc);
  s.after.tensors.resize(s.before.tensors.size());
  s.after.numbers.resize(s.before.numbers.size());
  // What became of the arguments.
  for (std::size_t p = 0; p < t.leaf_of.size(); ++p) {
    const bool same = s.before.gives[p] != Give::change || s.before.tensors[p].node() == s.after.tensors[p].node();
    t.after.push_back(same ? Source{From::same, 0} : source_of(s, s.after.tensors[p], true));
    if (t.after[p].from == From::output) t.update[t.after[p].index] = 1;
  }
  for (std::uint32_t i = 0; i < s.before.numbers.size(); ++i)
    if (Number::Access::term(s.before.numbers[i]) != Number::Access::term(s.after.numbers[i]) && s.call.number_at[i])
      t.changed_numbers.emplace_back(i, t.tape.term_of(s.after.numbers[i]));
  // A leaf whose old value is still wanted is never overwritten.
  std::vector<char> wanted(t.leaves.size(), 0);
  for (const auto* list : {&t.after, &t.results})
    for (const auto& source : *list)
      if (source.from == From::leaf) wanted[source.index] = 1, t.keeps_old = true;
  // An output that replaces one leaf at all its places, and nothing else, is that leaf from then on.
  std::vector<std::int32_t> owner(t.outputs.size(), -1), replaced_by(t.leaves.size(), -1);  // -2: by no one alone
  const auto agree = [](std::int32_t& all, std::int32_t one) { all = all == -1 || all == one ? one : -2; };
  for (std::size_t p = 0; p < t.leaf_of.size(); ++p) {
    const auto l = t.leaf_of[p];
    const bool replaced = t.after[p].from == From::output;
    if (replaced) agree(owner[t.after[p].index], l < 0 ? -2 : l);
    if (l >= 0) agree(replaced_by[static_cast<std::size_t>(l)], replaced ? static_cast<std::int32_t>(t.after[p].index) : -2);
  }
  for (std::size_t k = 0; k < owner.size(); ++k)
    if (owner[k] >= 0 && replaced_by[static_cast<std::size_t>(owner[k])] != static_cast<std::int32_t>(k)) owner[k] = -2;
  for (std::size_t k = 0; k < t.outputs.size(); ++k) {
    t.outputs[k].owner = std::max(owner[k], -1);
    t.outputs[k].ring = owner[k] == -1;
    if (owner[k] >= 0) t.leaves[static_cast<std::size_t>(owner[k])].output = static_cast<std::int32_t>(k);
  }
  // The plan.
  std::lock_guard graph(graph_mutex());
  const Order order = topological_order(s.roots);
  std::unordered_map<const Node*, Trace::LiteralSource> varying;
  for (const auto& l : t.tape.literals) varying[l.node.node()] = {Trace::LiteralSource::From::term, 0, l.term, l.node.dtype()};
  for (std::uint32_t k = 0; k < s.keys.size(); ++k) varying[s.keys[k].node()] = {Trace::LiteralSource::From::key, 0, k, DType::i64};
  std::vector<Node*> inputs;
  for (Node* n : order.nodes) {
    if (n->kind == Kind::literal && !n->computed()) {
      if (const auto it = varying.find(n); it != varying.end()) {
        it->second.literal = static_cast<std::uint32_t>(t.literals.size());
        t.varying.push_back(it->second);
      }
      t.literals.push_back(literal_bits(*n));
    } else if (n->arity == 0 || n->computed()) {
      const auto it = s.leaf.find(n);
      if (it != s.leaf.end()) {
        Trace::Leaf& l = t.leaves[it->second];
        l.input = static_cast<std::int32_t>(t.input_leaf.size());
        t.donatable.push_back((l.output >= 0 || l.given_up) && !wanted[it->second]);
        t.input_leaf.push_back(static_cast<std::int32_t>(it->second));
      } else {
        if (n->traced || !n->computed()) spent_error(*n, "compile", s.loc);
        t.donatable.push_back(0);
        t.captured.push_back(share(n));
        t.input_leaf.push_back(-static_cast<std::int32_t>(t.captured.size()));
      }
    }
  }
  warn_constant_keys(order);
  t.executable = runtime::find_plan({order, t.update, t.donatable, t.options});
  const auto& takes_over = t.executable->plan().takes_over;
  for (std::size_t l = 0; l < t.leaves.size(); ++l) t.leaves[l].claimed = t.leaves[l].output >= 0 && !wanted[l];
  for (std::uint32_t k = 0; k < t.outputs.size(); ++k) {
    if (t.outputs[k].owner < 0) t.unowned.push_back(k);
    if (takes_over[k] < 0) {
      t.fresh.push_back(k);
      continue;
    }
    Trace::Leaf& l = t.leaves[static_cast<std::size_t>(t.input_leaf[static_cast<std::size_t>(takes_over[k])])];
    l.claimed = true;
    l.overwritten_by = static_cast<std::int32_t>(k);
  }
  for (const auto& source : t.results)
    if (source.from == From::output) t.outputs[source.index].returned = true;
  for (const auto& source : t.after) t.hands_out |= source.from == From::leaf || (source.from == From::output && t.outputs[source.index].owner < 0);
  t.tape.literals.clear();
  t.prototype = std::move(prototype);
  s.step.add(s.trace);
}

}  // namespace adjoint::detail
