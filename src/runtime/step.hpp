// step.hpp: what a compiled step keeps: its traces, each with a plan and what becomes of every tensor of the arguments and results.
// Not the tracing (tracing.cpp) and not the running (replay.cpp).
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "adjoint/compile_arguments.hpp"
#include "graph/number.hpp"
#include "runtime/executor.hpp"

namespace adjoint::detail {

/// Where a tensor comes from after a step.
struct Source {
  enum class From : std::uint8_t { nothing, same, output, leaf, constant } from = From::nothing;
  std::uint32_t index = 0;  // of the output, of the leaf of the arguments (its value before the step), of the constant
};

/// One trace: made once, then only read.
struct Trace {
  std::uint64_t a = 0, b = 0;         // hash of settings, structure and types
  std::vector<std::int32_t> leaf_of;  // a place of the arguments: its leaf, or -1 without a value
  struct Leaf {
    std::uint32_t first = 0, places = 0;  // the first place that leads to it, and how many do
    std::int32_t input = -1;              // leaf of the plan that it is, if any
    std::int32_t output = -1;             // output that replaces it at all its places: in place where nobody else holds it
    std::int32_t overwritten_by = -1;     // output that the plan writes over its bytes
    bool given_up = false;                // of a tree passed as an rvalue
    bool claimed = false;                 // its bytes may be overwritten: taken out of the node while the step runs
  };
  std::vector<Leaf> leaves;
  struct Output {
    std::int32_t owner = -1;  // the leaf that it replaces
    bool ring = false;        // only returned: its node and bytes are used again once the caller let go of them
    bool returned = false;    // among the results
    bool wants_grad = false;
    std::string name;
    Type type;
    Loc loc;
  };
  std::vector<Output> outputs;
  std::vector<std::uint32_t> fresh;      // outputs that overwrite no leaf
  std::vector<std::uint32_t> unowned;    // outputs that replace no leaf
  std::vector<Source> after;    // places of the arguments that the step changed; `same` for the others
  bool gives_up = false;        // a leaf is of a tree passed as an rvalue
  bool hands_out = false;       // a place gets the value of another leaf, or one that replaces no leaf
  std::vector<Source> results;  // tensors of what the function returned
  Tensors constants;
  bool keeps_old = false;       // a leaf's old value goes elsewhere

  NumberTape tape;              // without its literals
  static constexpr std::uint32_t kTensor = ~std::uint32_t{0};
  std::vector<std::uint32_t> result_numbers;                               // term of each Number returned
  std::vector<std::pair<std::uint32_t, std::uint32_t>> changed_numbers;    // number of the arguments, its new term
  struct LiteralSource {
    enum class From : std::uint8_t { term, key } from = From::term;
    std::uint32_t literal = 0, index = 0;
    DType dtype = DType::f32;
  };
  std::vector<LiteralSource> varying;
  std::vector<std::int64_t> literals;  // bits at the time of tracing

  Tensors roots;                       // the graph, for the lines of errors, for validation and for explain
  std::vector<char> update, donatable;
  PlanOptions options;
  std::shared_ptr<runtime::Executable> executable;
  std::vector<std::int32_t> input_leaf;   // leaf of the plan: leaf of the arguments, or -1 - index of a captured value
  std::vector<Tensor> captured;           // values that the function read and nobody passed
  std::shared_ptr<const void> prototype;  // of the result, with empty tensors
  std::atomic<std::uint64_t> used{0};
  ~Trace();
};

/// The memory of one run of a trace at a time.
struct Instance {
  explicit Instance(std::shared_ptr<Trace> t, Loc loc);
  ~Instance();
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;

  static constexpr std::size_t kRing = 4;  // results that are used again
  std::shared_ptr<Trace> trace;
  std::unique_ptr<runtime::Executable::Instance> memory;
  std::vector<const Node*> last;              // the node at each place in the last run: its pattern is known
  std::vector<std::pair<const Node*, std::int32_t>> sorted;  // nodes with their leaves: scratch
  struct Leaf {
    Node* node = nullptr;
    Buffer* claimed = nullptr;                // its bytes, taken out of it, while the step runs
    Buffer* held = nullptr;                   // or held for reading
    Buffer* original = nullptr;               // its bytes, where a copy of them was taken in their place
    std::byte* bound = nullptr;               // where the plan finds it
    Buffer* home = nullptr;                   // where its bytes move once: beside those that one call updates with them
    bool taken = false;                       // an output lies in its bytes
  };
  std::vector<Leaf> leaves;
  std::vector<Buffer*> outputs;               // of the plan
  std::vector<std::byte*> bound_outputs;      // of those that overwrite no leaf
  std::vector<Buffer*> captured;              // one reference each, for ever
  std::vector<Buffer*> spare;                 // of each output: bytes that change places with a leaf's
  std::vector<std::array<Tensor, kRing>> ring;
  Tensors values;                             // of outputs that are handed out, after the run
  Tensors old;                                // of the leaves, where they are needed
  Tensors graves;                             // of the leaves given up: what their handles lead to
  std::vector<double> terms;
  std::size_t turn = 0;                       // of the rings: the next one to be replaced

 private:
  void make_homes();
};

class Step {
 public:
  Step(const PlanOptions& options, Loc loc) : options_(options), loc_(loc) {}
  ~Step();
  const PlanOptions& options() const { return options_; }
  Loc loc() const { return loc_; }
  std::set<std::string>& said() { return said_; }  // warnings; under the mutex
  std::recursive_mutex& mutex() { return mutex_; }

  /// An instance whose trace fits the call, or null. Without a lock when the last run was like this one.
  Instance* take(const Call& call, Loc loc);
  void give_back(Instance* instance);
  void add(std::shared_ptr<Trace> trace);
  void keep(std::size_t most);
  Traces counts() const;
  std::shared_ptr<Trace> latest() const;

 private:
  static constexpr std::size_t kSlots = 8;
  std::atomic<Instance*>& slot(std::uint64_t a) { return slots_[a % kSlots]; }
  void evict();
  PlanOptions options_;
  Loc loc_;
  std::array<std::atomic<Instance*>, kSlots> slots_{};
  mutable std::recursive_mutex mutex_;
  std::vector<std::shared_ptr<Trace>> traces_;
  std::vector<std::unique_ptr<Instance>> idle_;
  std::set<std::string> said_;
  std::size_t most_ = 16;
  std::int64_t made_ = 0;
  std::atomic<std::uint64_t> clock_{0};
};

/// The bits of a number in an element type, as those of a literal.
std::int64_t bits_of(double number, DType dtype);

}  // namespace adjoint::detail
