// node.hpp: the node of the graph and its life: creation is identity, release is iterative.
// Not an operation: what a node means is its primitive's record.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <span>
#include <string_view>

#include "graph/buffer.hpp"
#include "graph/primitive.hpp"

namespace adjoint {

enum class Kind : std::uint8_t {
  op,       // a primitive applied to operands
  leaf,     // data
  literal,  // one number, seen as a full tensor; an input of the plan, never part of its key
};

/// A field that one thread may set while another, building on the node, reads it: no lock, no order beyond its own.
template <class T> class Relaxed {
 public:
  Relaxed(T v = T()) : v_(v) {}  // NOLINT: stands for the value
  operator T() const { return v_.load(std::memory_order_relaxed); }
  T operator=(T v) {
    v_.store(v, std::memory_order_relaxed);
    return v;
  }

 private:
  std::atomic<T> v_;
};

/// Counts of owners in one word: handles (Tensors) in the low half, edges (operands of nodes) in the high
/// half. A leaf without handles whose edges all lie in the running plan may be overwritten in place.
struct Node {
  std::atomic<std::uint64_t> owners{1};
  const Primitive* prim = nullptr;
  Attrs attrs;
  Type type;
  Loc loc;
  const char* scope = nullptr;          // the composite or layer that made it, for messages
  Node** in = nullptr;                  // operands; inline_in when there are at most three
  Node* inline_in[3] = {};
  std::uint32_t arity = 0;
  Relaxed<Kind> kind = Kind::op;
  bool backward = false;                // made by a gradient transform
  Relaxed<bool> tracked = false;        // a leaf that asked for gradients lies behind it
  Relaxed<bool> wants_grad = false;     // is such a leaf
  Relaxed<bool> update = false;         // the result of an optimizer: pending until evaluated
  bool traced = false;                  // an argument of a step that is being traced lies behind it: it never has a value
  bool running = false;                 // such a result, in a plan that runs now; under the graph lock
  bool released = false;                // was an operation: its graph was dropped when it was computed; under the graph lock
  bool cut = false;                     // no gradient by request: made under NoGrad, or let go of by backward()
  std::uint32_t mark_epoch = 0, mark_index = 0;  // of the traversal in progress, under the graph lock
  std::atomic<Buffer*> data{nullptr};   // the value, once known
  union {
    double number;                      // of a literal of floating type
    std::int64_t integer;               // of a literal of integer type
  };
  struct Extra* extra = nullptr;        // rare: accumulated gradient, the update that spent it
  Node() : number(0) {}

  std::span<Node* const> operands() const { return {in, arity}; }
  bool computed() const { return data.load(std::memory_order_acquire) != nullptr; }
};
static_assert(sizeof(Node) <= 256 - 16, "a node and its allocation take at most 256 bytes");

struct Extra {
  Tensor grad;             // accumulated by backward()
  std::string name;        // of a parameter, for messages
  Loc spent_at = {};       // the update that took the buffer over
  bool spent = false;
  bool donated = false;    // passed as an rvalue to the update at spent_at: its handles are no longer to be used
  bool retained = false;   // an update writes a copy instead of taking the buffer over
  bool frozen = false;     // a leaf that is not trained: no gradient, no update
};

inline constexpr std::uint64_t kEdge = std::uint64_t{1} << 32;
inline std::uint32_t handles_of(const Node& n) { return static_cast<std::uint32_t>(n.owners.load(std::memory_order_relaxed)); }
inline std::uint32_t edges_of(const Node& n) { return static_cast<std::uint32_t>(n.owners.load(std::memory_order_relaxed) >> 32); }
inline void add_handle(Node* n) noexcept { n->owners.fetch_add(1, std::memory_order_relaxed); }
inline void add_edge(Node* n) noexcept { n->owners.fetch_add(kEdge, std::memory_order_relaxed); }
void destroy_node(Node* n) noexcept;  // and, without recursion, all that only it kept alive
inline void drop(Node* n, std::uint64_t amount) noexcept {
  if (n->owners.fetch_sub(amount, std::memory_order_acq_rel) == amount) destroy_node(n);
}
inline Tensor share(Node* n) noexcept { add_handle(n); return Tensor(Tensor::Take{}, n); }

Node* new_node();
/// A literal's number as the bits of its element type, in the low bytes.
std::int64_t literal_bits(const Node& literal);
/// A leaf over computed bytes; takes over one reference of the buffer.
Tensor leaf(const Type& type, Buffer* data, Loc loc);
Extra& extra_of(Node& n);
/// Lets go of the operands: a computed value becomes a leaf. Under the graph lock.
void drop_operands(Node& n) noexcept;
/// Number of nodes alive; zero leaks is a test.
std::int64_t live_nodes();
/// Counts an operation that is not computed yet; many of them warn once, with the line that makes them.
void count_unevaluated(const Node& fresh);
/// It was computed, or died.
void uncount_unevaluated() noexcept;

/// Held by whoever walks the graph: marks live in the nodes. Recursive, because rules build nodes.
std::recursive_mutex& graph_mutex();

/// While alive, nodes made on this thread carry `loc` and the backward flag: gradient nodes inherit the
/// line of the forward node. Other transforms pass the flag that their nodes are to have.
class BackwardScope {
 public:
  explicit BackwardScope(const Node& forward, bool backward = true);
  ~BackwardScope();
  BackwardScope(const BackwardScope&) = delete;
  BackwardScope& operator=(const BackwardScope&) = delete;
  const Node* forward;
  bool backward;
  BackwardScope* outer;
};
/// The line a node made now would carry if called at `loc`.
Loc user_loc(Loc loc);

/// "f32[32,10]  dot  at train.cpp:41"
std::string describe(const Node& n);

/// The value of the node was overwritten by an update, donated, is being overwritten by a compiled step right now, or belongs
/// to a trace and will never be there: the Error that names its line.
[[noreturn]] void spent_error(const Node& n, std::string_view op, Loc loc);
/// One reference on the bytes of a node, or null when it has none. A compiled step takes a leaf's bytes out of it without a lock
/// and then looks who else holds them; whoever reads takes hold of them first and then looks whether they are still there.
/// So one of the two always sees the other.
Buffer* hold_data(const Node& n) noexcept;
/// One reference on the bytes of a computed node, so that no update writes to them meanwhile. Throws when they are spent.
Buffer* hold_value(const Node& n, std::string_view op, Loc loc);

/// Evaluation, provided by the runtime: declared here so that item() and printing can ask for values.
void evaluate(std::span<Node* const> nodes, Loc loc);
/// Marks an optimizer's result: it is computed with the next evaluation of anything. `replaces` is the old
/// parameter, whose buffer it may take over when nobody else holds it.
void mark_update(Node& n);
/// Gives a leaf up: its handles throw from now on, naming `loc`, and the pending update may overwrite its buffer though
/// handles are left.
void donate(Node& n, Loc loc);
/// The pending updates that no other thread runs now, with a handle each.
Tensors take_pending_updates();
/// They failed: they run only when asked for, and other evaluations go on without them.
void postpone_updates(std::span<const Tensor> failed);
/// Forgets those that are computed, while they are alive: a node that is no longer an update does not tell when it dies.
void settle_updates();

}  // namespace adjoint
