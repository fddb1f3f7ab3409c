// recurrent.hpp: recurrent cells, and layers that run them over sequences: plain structs on scan(). A cell of one's own needs the four
// members that RnnCell has. Not attention, and not the loop itself: adjoint/scan.hpp.
#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "adjoint/nn/init.hpp"
#include "adjoint/ops.hpp"
#include "adjoint/scan.hpp"

namespace adjoint::nn {

/// h' = tanh(x weight_ih^T + bias_ih + h weight_hh^T + bias_hh), or relu in place of tanh: x [batch, in], h [batch, hidden].
struct RnnCell {
  using State = Tensor;
  Tensor weight_ih, weight_hh;                   ///< [hidden, in], [hidden, hidden]
  std::optional<Tensor> bias_ih = {}, bias_hh = {};  ///< [hidden]
  bool relu = false;
  State operator()(const Arg& x, const State& h) const;     ///< the state after one step
  State start(std::int64_t batch) const;                    ///< zeros
  static const Tensor& output(const State& h) { return h; }  ///< what a step gives
};

/// The long short-term memory of Hochreiter and Schmidhuber (1997), with forget gates: z = x weight_ih^T + bias_ih + h weight_hh^T + bias_hh in
/// four parts; i, f, o = sigmoid of the first, second and last, g = tanh of the third; c' = f c + i g, h' = o tanh(c').
struct LstmCell {
  /// What is carried from step to step: [batch, hidden] each.
  struct State {
    Tensor h, c;
  };
  Tensor weight_ih, weight_hh;                   ///< [4 hidden, in], [4 hidden, hidden]
  std::optional<Tensor> bias_ih = {}, bias_hh = {};  ///< [4 hidden]
  State operator()(const Arg& x, const State& s) const;       ///< the state after one step
  State start(std::int64_t batch) const;                      ///< zeros
  static const Tensor& output(const State& s) { return s.h; }  ///< what a step gives
};

/// The gated unit of Cho et al. (2014), as PyTorch and cuDNN have it: a = x weight_ih^T + bias_ih and b = h weight_hh^T + bias_hh in three parts;
/// r, z = sigmoid(a + b) of the first and second, n = tanh(a + r b) of the third; h' = (1 - z) n + z h.
struct GruCell {
  using State = Tensor;
  Tensor weight_ih, weight_hh;                   ///< [3 hidden, in], [3 hidden, hidden]
  std::optional<Tensor> bias_ih = {}, bias_hh = {};  ///< [3 hidden]
  State operator()(const Arg& x, const State& h) const;     ///< the state after one step
  State start(std::int64_t batch) const;                    ///< zeros
  static const Tensor& output(const State& h) { return h; }  ///< what a step gives
};

namespace detail {
/// x as a Tensor [time, batch, in], or an Error; also for a number of states that is neither 0 nor that of the cells.
Tensor sequence(const Arg& x, std::size_t cells, std::size_t states);
}  // namespace detail

/// Cells over a sequence [time, batch, in], layer on layer; with `backward`, each layer also runs from the end, and its outputs stand
/// behind those of the forward cells: [time, batch, hidden or 2 hidden].
template <class Cell> struct Recurrent {
  std::vector<Cell> forward;
  std::vector<Cell> backward = {};  ///< none, or as many

  /// Outputs of the last layer, and the last states: of each layer the forward cell's, then the backward cell's.
  struct Result {
    Tensor ys;
    std::vector<typename Cell::State> last;
  };
  /// Runs over x from the states `first`, which stand as in Result (zeros when empty).   throws  Error unless x is [time, batch, in],
  /// and for states that are neither none nor one a cell; gradient and `memory` as of scan()
  Result operator()(const Arg& x, const std::vector<typename Cell::State>& first = {}, const LoopMemory& memory = {}) const {
    const std::size_t each = backward.empty() ? 1 : 2;
    Tensor ys = detail::sequence(x, each * forward.size(), first.size());
    Result result;
    for (std::size_t k = 0; k < forward.size(); ++k) {
      Tensors sides;
      for (std::size_t side = 0; side < each; ++side) {
        const Cell& cell = side == 0 ? forward[k] : backward[k];
        const auto step = [&](const typename Cell::State& state, const Tensor& element) {
          const typename Cell::State next = cell(element, state);
          return std::pair(next, Cell::output(next));
        };
        const auto start = first.empty() ? cell.start(ys.shape(1)) : first[k * each + side];
        auto [last, out] = scan(step, start, ys, {.reverse = side == 1, .memory = memory}, x.loc);
        sides.push_back(out), result.last.push_back(last);
      }
      ys = sides.size() == 1 ? sides[0] : concat(sides, 2, x.loc);
    }
    result.ys = ys;
    return result;
  }
};
/// tanh or relu cells.
using Rnn = Recurrent<RnnCell>;
/// LSTM cells.
using Lstm = Recurrent<LstmCell>;
/// GRU cells.
using Gru = Recurrent<GruCell>;

/// Settings of rnn(), lstm() and gru().
struct RecurrentOptions {
  std::int64_t layers = 1;
  bool bidirectional = false, bias = true;
  bool relu = false;                          ///< of rnn: in place of tanh
  std::optional<double> forget_bias = {};     ///< of lstm: where its forget gates' biases start (1 keeps a cell's memory open)
  DType dtype = DType::f32;
};
/// Each of these: start values uniform in [-b, b) with b = 1 / sqrt(hidden), as PyTorch draws them; each weight by its own key.
///   throws  Error unless sizes are >= 1
Rnn rnn(std::int64_t in, std::int64_t hidden, const Key& key, RecurrentOptions options = {}, Loc loc = Loc::current());
/// See rnn().
Lstm lstm(std::int64_t in, std::int64_t hidden, const Key& key, RecurrentOptions options = {}, Loc loc = Loc::current());
/// See rnn().
Gru gru(std::int64_t in, std::int64_t hidden, const Key& key, RecurrentOptions options = {}, Loc loc = Loc::current());

}  // namespace adjoint::nn
