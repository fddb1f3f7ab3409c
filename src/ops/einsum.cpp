// einsum.cpp: Einstein summation: subscripts read and checked, diagonals taken, operands contracted pair by pair from the
// left through one batched product each. Not an optimiser of the order: multi_dot is, for chains.
#include <map>
#include <string>

#include "ops/index_ops.hpp"

namespace adjoint {
namespace {

const Primitive& einsum_p = define({.name = "einsum", .traits = {.inlined = true}, .family = "D10"});

/// A tensor with a letter for each axis. Axes of an ellipsis have the letters '0', '1', ... counted from the last.
struct Labelled {
  Tensor t;
  std::string axes;
};
bool has(const std::string& s, char c) { return s.find(c) != s.npos; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

struct Parser {
  std::string_view text;
  Loc loc;
  [[noreturn]] void fails(std::string why, std::string hint = {}) const {
    fail("einsum", loc, "\"" + std::string(text) + "\": " + std::move(why), {}, std::move(hint));
  }
  /// "ab...c" with the ellipsis spelled out as `dots` digits.
  std::string expanded(std::string_view part, int dots) const {
    std::string out;
    bool seen = false;
    for (std::size_t k = 0; k < part.size(); ++k) {
      if (is_letter(part[k])) out += part[k];
      else if (part.substr(k, 3) == "..." && !seen) {
        for (int d = dots; d-- > 0;) out += static_cast<char>('0' + d);
        seen = true, k += 2;
      } else fails(std::string("'") + part[k] + "' is no subscript", "letters name axes, \"...\" stands for leading ones, once");
    }
    return out;
  }
};

std::string without_blanks(std::string_view s) {
  std::string out;
  for (char c : s)
    if (c != ' ') out += c;
  return out;
}

/// Repeated letters of one operand become its diagonal.
Labelled diagonals(Labelled x, Loc loc) {
  for (std::size_t i = 0; i < x.axes.size(); ++i)
    for (std::size_t j = i + 1; j < x.axes.size();) {
      if (x.axes[i] != x.axes[j]) {
        ++j;
        continue;
      }
      const char c = x.axes[i];
      if (x.t.shape(static_cast<int>(i)) != x.t.shape(static_cast<int>(j)))
        fail("einsum", loc, std::string("axis '") + c + "' is repeated over sizes that differ in " + to_string(x.t.type()), {&x.t}, "a repeated letter takes a diagonal; use two letters for two axes");
      x.t = diagonal(Arg(x.t, loc), 0, static_cast<int>(i), static_cast<int>(j));  // drops both, puts the diagonal last
      x.t = move_axis(x.t, x.t.rank() - 1, static_cast<int>(i), loc);
      x.axes.erase(j, 1);
      x.axes[i] = c;
    }
  return x;
}

/// Sums over the letters that are not in `kept`.
Labelled summed(Labelled x, const std::string& kept, Loc loc) {
  Ints axes;
  std::string rest;
  for (std::size_t k = 0; k < x.axes.size(); ++k) {
    if (has(kept, x.axes[k])) rest += x.axes[k];
    else axes.push_back(static_cast<std::int64_t>(k));
  }
  if (!axes.empty()) x.t = sum_node(x.t, axes, false, loc);
  x.axes = rest;
  return x;
}

/// Axes in this order, axes that x lacks with size 1.
Tensor ordered(const Labelled& x, const std::string& order, Loc loc) {
  Ints axes;
  Shape shape;
  for (char c : order) {
    const auto at = x.axes.find(c);
    if (at != x.axes.npos) axes.push_back(static_cast<std::int64_t>(at));
    shape.push_back(at == x.axes.npos ? 1 : x.t.shape(static_cast<int>(at)));
  }
  return reshape_node(permute_node(x.t, axes, loc), shape, loc);
}

/// The product of x and y summed over the letters that neither `kept` nor another operand needs.
Labelled contracted(Labelled x, Labelled y, const std::string& kept, Loc loc) {
  x = summed(x, y.axes + kept, loc), y = summed(y, x.axes + kept, loc);
  std::string batch, left, right, inner;
  for (char c : x.axes) (!has(y.axes, c) ? left : has(kept, c) ? batch : inner) += c;
  for (char c : y.axes)
    if (!has(x.axes, c)) right += c;
  // Letters of size 1 on one side only broadcast; a product cannot, so they are spread first.
  const auto spread_to = [&](Labelled& a, const Labelled& b) {
    Shape full = a.t.shape();
    for (std::size_t k = 0; k < full.size(); ++k)
      if (const auto at = b.axes.find(a.axes[k]); at != b.axes.npos && full[k] == 1) full[k] = b.t.shape(static_cast<int>(at));
    a.t = broadcast_node(a.t, full, loc);
  };
  spread_to(x, y), spread_to(y, x);
  const auto size = [&](const Labelled& a, const std::string& letters) {
    std::int64_t n = 1;
    for (char c : letters) n *= a.t.shape(static_cast<int>(a.axes.find(c)));
    return n;
  };
  const auto b = size(x, batch), m = size(x, left), k = size(x, inner), n = size(y, right);
  checked_product(checked_product(b, m, "einsum", loc), n, "einsum", loc);
  const Tensor p = reshape_node(ordered(x, batch + left + inner, loc), {b, m, k}, loc), q = reshape_node(ordered(y, batch + inner + right, loc), {b, k, n}, loc);
  Labelled out{matmul(Arg(p, loc), Arg(q, loc)), batch + left + right};
  Shape shape;
  for (char c : batch + left) shape.push_back(x.t.shape(static_cast<int>(x.axes.find(c))));
  for (char c : right) shape.push_back(y.t.shape(static_cast<int>(y.axes.find(c))));
  out.t = reshape_node(out.t, shape, loc);
  return out;
}

/// The parts between commas.
std::vector<std::string> parts_of(const std::string& s) {
  std::vector<std::string> parts(1);
  for (char c : s) {
    if (c == ',') parts.emplace_back();
    else parts.back() += c;
  }
  return parts;
}

/// Labels of all operands, with every size checked.
std::vector<Labelled> labelled(const Parser& p, const std::vector<std::string>& parts, const Tensors& operands, int& dots) {
  std::map<char, std::int64_t> sizes;
  std::vector<Labelled> out;
  for (std::size_t i = 0; i < operands.size(); ++i) {
    const Tensor t = need(Arg(operands[i], p.loc), einsum_p);
    if (t.dtype() == DType::bool_ || size_of(t.dtype()) == 1)
      fail("einsum", p.loc, "products of " + to_string(t.type()) + " are not defined", {&t}, "cast to i32 or f32 first");
    p.expanded(parts[i], 0);  // first: what is no subscript is named as such
    const bool any_dots = parts[i].find("...") != std::string::npos;
    const int letters = static_cast<int>(std::count_if(parts[i].begin(), parts[i].end(), is_letter));
    const int own = t.rank() - letters;
    if (own < 0 || (own > 0 && !any_dots))
      fail("einsum", p.loc, "\"" + std::string(p.text) + "\": \"" + parts[i] + "\" does not fit operand " + std::to_string(i) + ", " + to_string(t.type()), {&t},
           "one letter an axis, or \"...\" for the leading ones");
    dots = std::max(dots, own);
    out.push_back({t, p.expanded(parts[i], own)});
    for (std::size_t k = 0; k < out[i].axes.size(); ++k) {
      auto& known = sizes.try_emplace(out[i].axes[k], 1).first->second;
      const auto s = t.shape(static_cast<int>(k));
      if (known == 1) known = s;
      else if (s != 1 && s != known)
        fail("einsum", p.loc, "\"" + std::string(p.text) + "\": axis '" + out[i].axes[k] + "' has sizes " + std::to_string(known) + " and " + std::to_string(s), {&t}, "axes with one letter have one size, or size 1; transpose or rename one of them");
    }
  }
  return out;
}

}  // namespace

Tensor einsum(std::string_view subscripts, const Tensors& operands, Loc loc) {
  OpScope scope("einsum", loc);
  const Parser p{subscripts, loc};
  const std::string text = without_blanks(subscripts);
  const auto arrow = text.find("->");
  const auto parts = parts_of(text.substr(0, arrow));
  if (operands.empty() || parts.size() != operands.size())
    p.fails(std::to_string(parts.size()) + " subscripts for " + std::to_string(operands.size()) + " operands", "one subscript an operand, separated by commas");
  int dots = 0;
  std::vector<Labelled> in = labelled(p, parts, operands, dots);
  std::string output;
  if (arrow != text.npos) {
    output = p.expanded(text.substr(arrow + 2), dots);
  } else {
    for (int d = dots; d-- > 0;) output += static_cast<char>('0' + d);
    std::map<char, int> times;
    for (const auto& x : in)
      for (char c : x.axes) ++times[c];
    for (auto [c, n] : times)
      if (n == 1 && is_letter(c)) output += c;
  }
  std::string known;
  for (const auto& x : in) known += x.axes;
  for (std::size_t k = 0; k < output.size(); ++k) {
    if (!has(known, output[k])) p.fails(std::string("output axis '") + output[k] + "' is in no operand", "every letter of the result stands in an operand");
    if (output.find(output[k], k + 1) != output.npos) p.fails(std::string("output axis '") + output[k] + "' is named twice", "use diag_embed for a diagonal");
  }
  DType dtype = in[0].t.dtype();
  for (const auto& x : in) dtype = promote(dtype, x.t.dtype());
  for (auto& x : in) x = diagonals({cast_to(x.t, dtype, loc), x.axes}, loc);
  Labelled result = in[0];
  for (std::size_t i = 1; i < in.size(); ++i) {
    std::string kept = output;
    for (std::size_t j = i + 1; j < in.size(); ++j) kept += in[j].axes;
    result = contracted(result, in[i], kept, loc);
  }
  result = summed(result, output, loc);
  return ordered(result, output, loc);
}

}  // namespace adjoint
