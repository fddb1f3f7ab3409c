// custom_rule.cpp: nodes that carry a user's rule: views of the forward result that know the inputs. Not a registry: a rule
// lives as long as its nodes.
#include "adjoint/custom.hpp"

#include "adjoint/grad.hpp"
#include "adjoint/vmap.hpp"
#include "ops/batching.hpp"

namespace adjoint {
namespace {

/// A shared rule as an attribute. Rules are no part of a plan's key: a plan only sees a view.
template <class Rule> struct RuleAttr {
  std::shared_ptr<const Rule> rule;
  std::uint64_t attr_hash() const { return 0; }
  std::string attr_text() const { return rule->name; }
};
struct See {
  std::string name = "probe";
  std::function<void(const Tensor&)> see;
};

std::optional<Strided> as_operand(const Node&, const Strided& in) { return in; }
Type infer_first(const Infer& i) { return i.type(0); }

/// Operand 0 is the forward result, through which no derivative passes; the others are the inputs.
template <class R> Tensors inputs_of(const R& r) {
  Tensors in;
  for (std::size_t k = 1; k < r.arity(); ++k) in.push_back(r.in(k));
  return in;
}

[[noreturn]] void broken(const char* op, const std::string& name, const Node& n, std::string what, std::string hint) {
  throw Error({.op = op, .message = "the rule of " + name + " " + std::move(what), .where = n.loc, .operands = {describe(n)}, .hint = std::move(hint)});
}

Tensors checked(const char* op, const std::string& name, const Node& n, const Tensors& in, Tensors d) {
  if (d.size() != in.size())
    broken(op, name, n, "returned " + std::to_string(d.size()) + " cotangents for " + std::to_string(in.size()) + " inputs",
           "return one an input, an empty Tensor where there is none");
  for (std::size_t k = 0; k < in.size(); ++k) {
    const bool smooth = is_floating(in[k].dtype());
    if (d[k] && !smooth)
      broken(op, name, n, "returned a cotangent for input " + std::to_string(k) + " of type " + to_string(in[k].type()), "return an empty Tensor for it");
    if (d[k] && !(d[k].type() == in[k].type()))
      broken(op, name, n, "returned " + to_string(d[k].type()) + " for input " + std::to_string(k) + " of type " + to_string(in[k].type()),
             "a cotangent has the type of its input");
  }
  d.insert(d.begin(), Tensor());
  return d;
}

Tensor checked_tangent(const std::string& name, const Node& n, Tensor dot) {
  if (!dot || !(dot.type() == n.type))
    broken("custom_jvp", name, n, dot ? "returned a tangent " + to_string(dot.type()) + " for a result of type " + to_string(n.type) : "returned no tangent",
           "a tangent has the type of the result");
  return dot;
}

/// The node on all examples, with the rule that serves them: the user's own, example by example.
template <class Rule> Tensor with_all(const Batch& b, const Rule& rule) {
  Tensors in;
  for (std::size_t k = 0; k < b.arity(); ++k) in.push_back(every(b, k));
  return apply(*b.node.prim, in, RuleAttr<Rule>{std::make_shared<const Rule>(rule)}, b.node.loc);
}

/// The cotangents of all examples; where the rule gives none there is none for all.
Tensors backward_of_all(const CustomVjp& rule, const Tensors& in, const Tensor& out, const Tensor& ct) {
  Tensors xs = in;
  xs.push_back(out), xs.push_back(ct);
  std::vector<bool> given;
  const Tensors some = vmap(
      [&](const Tensors& x) {
        Tensors found;
        for (const auto& d : rule.backward(Tensors(x.begin(), x.end() - 2), x[in.size()], x.back())) {
          given.push_back(static_cast<bool>(d));
          if (d) found.push_back(d);
        }
        return found;
      },
      xs);
  Tensors d;
  std::size_t k = 0;
  for (const bool is : given) d.push_back(is ? some[k++] : Tensor());
  return d;
}

Tensor tangent_of_all(const CustomJvp& rule, const Tensors& in, const Tensor& out, const Tensors& dot) {
  Tensors xs = in;
  xs.push_back(out);
  xs.insert(xs.end(), dot.begin(), dot.end());
  const auto n = static_cast<std::ptrdiff_t>(in.size());
  return vmap([&](const Tensors& x) { return Tensors{rule.tangent(Tensors(x.begin(), x.begin() + n), x[in.size()], Tensors(x.begin() + n + 1, x.end()))}; },
              xs)[0];
}

const Primitive& custom_vjp_p = define({
    .name = "custom_vjp",
    .infer = infer_first,
    .vjp = [](const Vjp& r) {
      const auto& rule = *r.attrs<RuleAttr<CustomVjp>>().rule;
      const Tensors in = inputs_of(r);
      return checked("custom_vjp", rule.name, r.node, in, rule.backward(in, r.in(0), r.ct));
    },
    .jvp = [](const Jvp& r) -> Tensor {
      broken("jvp", r.attrs<RuleAttr<CustomVjp>>().rule->name, r.node, "goes backward only", "use custom_jvp, which serves both modes");
    },
    .batch = [](const Batch& b) {
      const auto one = b.attrs<RuleAttr<CustomVjp>>().rule;
      return with_all(b, CustomVjp{one->name, one->forward, [one](const Tensors& in, const Tensor& out, const Tensor& ct) {
                                     return backward_of_all(*one, in, out, ct);
                                   }});
    },
    .alias = as_operand,
    .family = "D22",
});

const Primitive& custom_jvp_p = define({
    .name = "custom_jvp",
    .infer = infer_first,
    .vjp = [](const Vjp& r) {
      const auto& rule = *r.attrs<RuleAttr<CustomJvp>>().rule;
      const Tensors in = inputs_of(r);
      Tensors dots, asked;
      for (const auto& x : in) {
        dots.push_back(literal(x.type(), 0, r.node.loc));  // a place for the tangent: the rule is linear, so its value does not matter
        if (is_floating(x.dtype())) asked.push_back(dots.back());
      }
      const Tensor tangent = checked_tangent(rule.name, r.node, rule.tangent(in, r.in(0), dots));
      Tensors found = vjp(std::span(&tangent, 1), std::span(&r.ct, 1), asked, r.node.loc), d;
      std::size_t k = 0;
      for (const auto& x : in) d.push_back(is_floating(x.dtype()) ? found[k++] : Tensor());
      return checked("custom_jvp", rule.name, r.node, in, std::move(d));
    },
    .jvp = [](const Jvp& r) {
      const auto& rule = *r.attrs<RuleAttr<CustomJvp>>().rule;
      const Tensors in = inputs_of(r);
      Tensors dots;
      for (std::size_t k = 0; k < in.size(); ++k) dots.push_back(r.dot[k + 1] ? r.dot[k + 1] : literal(in[k].type(), 0, r.node.loc));
      return checked_tangent(rule.name, r.node, rule.tangent(in, r.in(0), dots));
    },
    .batch = [](const Batch& b) {
      const auto one = b.attrs<RuleAttr<CustomJvp>>().rule;
      return with_all(b, CustomJvp{one->name, one->forward, [one](const Tensors& in, const Tensor& out, const Tensors& dot) {
                                     return tangent_of_all(*one, in, out, dot);
                                   }});
    },
    .alias = as_operand,
    .family = "D22",
});

const Primitive& probe_p = define({
    .name = "probe",
    .infer = infer_first,
    .vjp = [](const Vjp& r) -> Tensors {
      r.attrs<RuleAttr<See>>().rule->see(r.ct);
      return {r.ct};
    },
    .jvp = [](const Jvp& r) { return r.dot[0]; },
    .batch = batch_same,  // `see` gets the cotangents of all examples at once
    .alias = as_operand,
    .family = "D22",
});

template <class Rule> Tensor with_rule(const Primitive& prim, const Rule& rule, bool complete, const Tensors& in, Loc loc) {
  const auto fail = [&](std::string why, std::string hint) {
    throw Error({.op = std::string(prim.name), .message = std::move(why), .where = user_loc(loc), .hint = std::move(hint)});
  };
  if (!complete) fail("the rule of " + rule.name + " is not complete", "give both functions");
  for (std::size_t k = 0; k < in.size(); ++k)
    if (!in[k]) fail("input " + std::to_string(k) + " of " + rule.name + " has no value", "give it a value first");
  const Tensor out = rule.forward(in);
  if (!out) fail("the forward function of " + rule.name + " returned no value", "return a Tensor");
  if (!is_floating(out.dtype())) fail("the result of " + rule.name + " is " + to_string(out.type()) + ", which has no derivative", "cast it to a floating type");
  Tensors operands{out};
  operands.insert(operands.end(), in.begin(), in.end());
  return apply(prim, operands, RuleAttr<Rule>{std::make_shared<const Rule>(rule)}, loc);
}

}  // namespace

Tensor custom_vjp(const CustomVjp& rule, const Tensors& in, Loc loc) {
  return with_rule(custom_vjp_p, rule, rule.forward && rule.backward, in, loc);
}
Tensor custom_jvp(const CustomJvp& rule, const Tensors& in, Loc loc) {
  return with_rule(custom_jvp_p, rule, rule.forward && rule.tangent, in, loc);
}
Tensor probe(const Arg& x, std::function<void(const Tensor&)> see) {
  const Tensor t = need(x, probe_p);
  if (!see) throw Error({.op = "probe", .message = "no function was given", .where = user_loc(x.loc), .hint = "pass a function of the cotangent"});
  return apply(probe_p, {&t}, RuleAttr<See>{std::make_shared<const See>(See{"probe", std::move(see)})}, x.loc);
}

}  // namespace adjoint
