// node.hpp: the node of the graph and its life: creation is identity, release is iterative.
// Not an operation: what a node means is its primitive's record.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <span>

#include "graph/buffer.hpp"
#include "graph/primitive.hpp"

namespace adjoint {

enum class Kind : std::uint8_t {
  op,       // a primitive applied to operands
  leaf,     // data
  literal,  // one number, seen as a full tensor; an input of the plan, never part of its key
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
  Kind kind = Kind::op;
  bool backward : 1 = false;            // made by a gradient transform
  bool tracked : 1 = false;             // a leaf that asked for gradients lies behind it
  bool wants_grad : 1 = false;          // is such a leaf
  bool update : 1 = false;              // the result of an optimizer: pending until evaluated
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
/// The bits of a literal in its element type.
std::int64_t literal_bits(const Node& n);
Extra& extra_of(Node& n);
/// Lets go of the operands: a computed value becomes a leaf. Under the graph lock.
void drop_operands(Node& n) noexcept;
/// Number of nodes alive; zero leaks is a test.
std::int64_t live_nodes();

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

/// Evaluation, provided by the runtime: declared here so that item() and printing can ask for values.
void evaluate(std::span<Node* const> nodes, Loc loc);
/// Marks an optimizer's result: it is computed with the next evaluation of anything. `replaces` is the old
/// parameter, whose buffer it may take over when nobody else holds it.
void mark_update(Node& n);
/// The pending updates, with a handle each.
Tensors take_pending_updates();
/// Forgets those that are computed, while they are alive: a node that is no longer an update does not tell when it dies.
void settle_updates();

}  // namespace adjoint
