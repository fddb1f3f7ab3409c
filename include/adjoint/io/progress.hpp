// progress.hpp: what a person sees while a run goes on: one live line on a terminal, plain lines
// elsewhere. Not a logger, and no curses: it writes text, a carriage return and "erase to the end".
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace adjoint::io {

/// A current figure: its name and its text, such as {"loss", "0.3412"}.
using ProgressFigure = std::pair<std::string, std::string>;

/// Where a run stands: what a callback gets.
struct ProgressState {
  std::int64_t done = 0, total = 0;  ///< units; total 0 when unknown
  double rate = 0;                   ///< units a second, lately; 0 when not known yet
  double elapsed = 0, left = -1;     ///< seconds; left is below 0 when not known
  std::string_view label;
  std::span<const ProgressFigure> figures;
};

/// What is not given is found out: from the descriptor, the terminal's size and the environment
/// (NO_COLOR, TERM, LC_ALL, LC_CTYPE, LANG).
struct ProgressOptions {
  int fd = 2;                         ///< where to: standard error, so that results can be piped
  std::optional<bool> terminal = {};  ///< a live line (true) or plain lines (false)
  std::optional<bool> colour = {};
  std::optional<bool> unicode = {};    ///< false: ASCII only
  std::optional<int> width = {};       ///< columns; by default asked for before every drawing
  double live_seconds = 0.1;           ///< the live line is drawn at most this often
  double plain_seconds = 5;            ///< a plain line at most this often
  std::int64_t before = 0;            ///< units finished by an earlier run: not part of this one's rate
  std::string unit = "";               ///< of the rate: "pictures" gives "7 260 pictures/s"
  std::function<double()> clock = {};  ///< seconds; for tests
  std::function<void(std::string_view)> write = {};  ///< instead of fd; for tests
  std::function<void(const ProgressState&)> callback = {};  ///< told instead of a line drawn, as often as a live one
};

/// Shows how far a run is, its rate, the time left and the current figures.
///   epoch 2/5  ━━━━━━━━━━━━╸━━━━━━━━━━━  52 %  7 260 pictures/s  0:19 left  loss 0.3412
/// Narrow terminals drop what matters least. Calls are cheap when no drawing is due. Belongs to one
/// thread. A failing write (a closed pipe) ends the display and not the run.
class Progress {
 public:
  /// `total` units of work; 0 when unknown (then there is no bar and no time left).
  explicit Progress(std::int64_t total, ProgressOptions options = {});
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  /// Ends the live line, so that what follows begins on a line of its own.
  ~Progress();

  /// The words in front, such as "epoch 2/5".
  void label(std::string text) { label_ = std::move(text); }
  /// `done` units are finished; draws if it is time to.
  void update(std::int64_t done, std::span<const ProgressFigure> figures = {});
  /// The same for a list in braces.
  void update(std::int64_t done, std::initializer_list<ProgressFigure> figures) {
    update(done, std::span(figures.begin(), figures.size()));
  }
  /// True when the next update would draw: figures that cost something need be computed only then.
  bool due() const;
  /// A line of text above the live line (or just a line).
  void log(std::string_view line);
  /// Draws the final state now, and ends the line.
  void finish();

 private:
  std::string render(int width) const;
  std::string plain() const;
  ProgressState state() const;
  void draw();
  void put(std::string_view text);
  double left() const;

  ProgressOptions options_;
  std::int64_t total_ = 0, done_ = 0;
  std::string label_;
  std::vector<ProgressFigure> figures_;
  double start_ = 0, drawn_ = 0, rate_ = 0, rate_time_ = 0;
  std::int64_t rate_done_ = 0;
  bool live_ = false, colour_ = false, unicode_ = false, open_ = false, drew_ = false,
       finished_ = false, broken_ = false;
};

}  // namespace adjoint::io
