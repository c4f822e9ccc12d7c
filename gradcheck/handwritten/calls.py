"""Call statements of a case → a Plan: which names are inputs, outputs, upstream gradients, gradients, parameters.

A Plan is plain data (lists, dicts, texts, numbers), so that it can cross the wall of a sandbox; running it is
the business of `session/`, finding the statements behind a bare name that of `conventions/`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from gradcheck.errors import FieldError, NotationError, did_you_mean
from gradcheck.handwritten.outline import variables_of
from gradcheck.handwritten.places import container_places, nodes, parameter_places
from gradcheck.handwritten.statements import Lines, Plain, lines_of, plain, reads_of, unresolved
from gradcheck.location import SourceText, Span
from gradcheck.model.case import Case, CodeBody
from gradcheck.notation import Attribute, Name, Node, Sequence, names_in, parse_expression

Plan = dict[str, Any]
UNNAMED = "out"  # the name of an output that the statements give none


def make_plan(case: Case, body: CodeBody, arrays: Any = None) -> Plan:
    """Read the statements of a case with `code`.

    body : the case's own, or the one completed by `conventions/`; every text keeps its own place
    arrays : what the inputs are wrapped in, as `wrapped.Arrays.plan` says it; None for numpy arrays
    Returns: the plan; `session.Session` lists its keys.
    Raises NotationError with the place of the mistake.
    """
    plan: Plan = {
        "inputs": list(case.inputs), "options": dict(case.options), "sizes": dict(case.sizes), "seed": case.seed,
        "build": None, "setup": [], "forward": [], "backward": [], "before": [], "outputs": [], "upstream": [],
        "gradients": {}, "gradient_at": None, "parameters": {}, "parameters_at": [], "setup_reads": [],
        "unread": [], "untaken": [], "optional": [], "free": [], "arrays": arrays, "autograd": "", "tracked": False,
        "made": [],
    }  # fmt: skip
    if body.build is not None:
        plan["build"] = plain(parse_expression(body.build), body.build)
        build = lines_of(body.build)
        plan["free"] = unresolved(build.unknown({*case.options, *case.sizes, "seed"}))
        return plan
    if body.forward is None:
        raise FieldError("'code' without 'forward'", "add a line: forward: out = …", ("code",))
    return _Planner(case, body, arrays).fill(plan)


class _Planner:
    """What each name is, worked out in the order in which the statements will run."""

    def __init__(self, case: Case, body: CodeBody, arrays: Any) -> None:
        self.case, self.body, self.arrays = case, body, arrays
        self.setup, self.forward = lines_of(body.setup), lines_of(body.forward)
        self.backward = lines_of(body.backward)
        self.known = {*case.inputs, *case.options, *case.sizes, "seed"}
        self.objects = list(self.setup.assigned)
        self.before: list[Plain] = []
        self.forward_plain = self.forward.plain()
        self.named_outputs = self._named_outputs()
        self.outputs: dict[str, Plain] = {name: ["name", name] for name in self.forward.assigned}
        self.outputs.update(self.named_outputs)
        self.after_forward = {*self.known, *self.objects, *self.outputs}
        self.autograd = self._autograd()

    def fill(self, plan: Plan) -> Plan:
        self._refuse_upstream_among_inputs()
        outputs, upstream = self._differentiated()
        gradients, gradient_at = self._mapping_or_container(self.body.gradient_at, self.before)
        places, parameters_at = self._mapping_or_container(self.body.parameters_at, None)
        containers = [] if parameters_at is None else [parameters_at]
        if gradient_at is not None and not containers and not places:
            containers = container_places(self.objects)
        returned = self._returned(set(gradients) | set(places), bool(containers))
        gradients = {**returned, **gradients}
        read = {name.id for lines in (self.setup, self.forward, self.backward) for name in lines.read}
        wanted = dict.fromkeys((*gradients, *places))
        plan.update(
            setup=self.setup.plain(), forward=self.forward_plain, backward=self.backward.plain(), before=self.before,
            outputs=outputs, upstream=upstream, gradients=gradients, gradient_at=gradient_at,
            parameters_at=containers, setup_reads=sorted({n.id for n in self.setup.read} & set(self.case.inputs)),
            autograd=self.autograd, tracked=self._is_tracked(gradients.values()),
        )  # fmt: skip
        if self.autograd and not containers and not places:
            plan["made"] = self._made_of_itself()
        plan["parameters"] = {
            name: [places[name]]
            if name in places
            else parameter_places(name, gradients[name], self.objects, self.before)
            for name in wanted
            if name not in self.case.inputs or name not in read
        }
        plan["unread"] = [name for name in self.case.inputs if name not in read]
        plan["optional"] = [name for name in self.case.inputs if name in read] if gradient_at is not None else []
        plan["untaken"] = self._untaken(read, {name for name, _ in outputs}, gradients)
        plan["free"] = self._free(upstream)
        for name in plan["unread"]:
            has_home = name in places or containers or plan["made"]
            is_kept = name in plan["parameters"] and (self.objects or name in variables_of(self.body.path))
            if not (has_home or is_kept):
                message = f"no statement uses the input '{name}'"
                raise FieldError(message, "pass it on, or leave it out", ("inputs", name))
        return plan

    def _named_outputs(self) -> dict[str, Plain]:
        """What `output`, or a last line of forward that is a bare call, gives: name → expression."""
        source = self.body.output
        if source is None:
            last = self.forward_plain[-1]
            if last["target"] is not None:
                return {}
            last["target"] = ["name", UNNAMED]
            return {UNNAMED: ["name", UNNAMED]}
        statement = lines_of(source).statements[-1]
        values = _items(statement.value)
        names = [_last_name(node) for node in _items(statement.target or statement.value)]
        if len(names) != len(values) or not all(names):
            raise NotationError("an output without a name", "write out = layer.Z", source, statement.span)
        return {name: plain(value, source) for name, value in zip(names, values, strict=True)}

    def _differentiated(self) -> tuple[list[Plain], list[list[str]]]:
        """The outputs in question as [name, expression], and their upstream gradients as [name, `d<name>`]."""
        expressions = self.outputs
        unknown = list(dict.fromkeys(name.id for name in self.backward.unknown(self.after_forward)))
        aliases = {f"d{name}": name for name in expressions}
        if len(self.named_outputs) == 1:
            aliases.setdefault(f"d{UNNAMED}", next(iter(self.named_outputs)))
        asked = {aliases[name]: name for name in unknown if name in aliases}
        if self.autograd == "run":  # of what is returned, the session drops what is no tensor
            last = _names(self.forward.statements[-1].target)
            order = list(self.named_outputs) or last or list(expressions)
            return [[name, expressions[name]] for name in order], [[name, f"d{name}"] for name in order]
        if asked:
            order = [name for name in expressions if name in asked]
            return [[name, expressions[name]] for name in order], [[name, asked[name]] for name in order]
        self._refuse_misnamed_upstream(list(expressions))
        if self.named_outputs:
            return [[name, value] for name, value in self.named_outputs.items()], []
        for statement in reversed(self.forward.statements):
            for name in _names(statement.target):
                return [[name, ["name", name]]], []
        span = Span(0, len(self.forward.source.text))
        raise NotationError("forward gives its output no name", "write out = …", self.forward.source, span)

    def _autograd(self) -> str:
        """Who runs the backward of tensors: "run" – the session, "read" – statements; "": gradients are returned."""
        if self.arrays is None or isinstance(self.body.gradient_at, SourceText):
            return ""
        mappings = [found for found in (self.body.gradient_at, self.body.parameters_at) if isinstance(found, Mapping)]
        named = {*self.case.inputs, *(name for mapping in mappings for name in mapping)}
        used = {name.id for name in self.backward.read}
        for lines in (self.forward, self.backward):
            for target in lines.assigned:
                is_gradient = target[1:] in named or (lines is self.backward and target not in used)
                if target.startswith("d") and is_gradient:
                    return ""
        if not self.backward.statements:
            return "run"
        if self.arrays == "jax":
            hint = "leave 'backward' out, and jax.vjp is taken; or assign what it returns: dx = …"
            raise FieldError("backward gives no gradients, and arrays of jax keep none", hint, ("backward",))
        return "read"

    def _is_tracked(self, gradients: Iterable[Plain]) -> bool:
        """Whether inputs have to record what is done with them: where `.grad` or `torch.autograd.grad` is asked for."""
        backward = (line["value"] for line in self.backward.plain())
        asked = any(
            node[:1] == ["attribute"] and node[2] == "grad" for e in (*gradients, *backward) for node in nodes(e)
        )
        return self.arrays is not None and (bool(self.autograd) or asked)

    def _made_of_itself(self) -> list[str]:
        """Objects that the setup makes without any input: what they hold of floats is theirs."""
        fed, made = set(self.case.inputs), []
        for statement in self.setup.statements:
            targets, reads = _names(statement.target), {name.id for name in reads_of(statement)}
            if fed & reads:
                fed.update(targets or reads)  # `net.load(W)` and `net.W = W` feed what they name
            else:
                made += targets
        return [name for name in dict.fromkeys(made) if name not in fed]

    def _refuse_misnamed_upstream(self, outputs: list[str]) -> None:
        """`dout` where forward gives `y` is the commonest slip; it need not wait for the code to be loaded."""
        for name in self.backward.unknown(self.after_forward):
            near = get_close_matches(name.id, [f"d{output}" for output in outputs], n=1, cutoff=0.75)
            if (name.id == f"d{UNNAMED}" or (near and name.id.startswith("d"))) and name.id not in self.backward.called:
                best = near[0] if near else f"d{outputs[0]}"
                raise NotationError(
                    f"'{name.id}' is the upstream gradient of '{name.id[1:]}', but forward gives {_listed(outputs)}",
                    f"did you mean '{best}'?",
                    self.backward.source,
                    name.span,
                )

    def _refuse_upstream_among_inputs(self) -> None:
        for name in self.case.inputs:
            output = name[1:]
            if name.startswith("d") and output in self.outputs and output not in self.case.inputs:
                message = f"'{name}' is the upstream gradient of '{output}', not an input"
                hint = "leave it out; to choose its values, write them under 'upstream'"
                raise FieldError(message, hint, ("inputs", name))

    def _untaken(self, read: set[str], outputs: set[str], gradients: Iterable[str]) -> list[str]:
        """Results of forward that are no output in question, no gradient, and that no statement reads."""
        if self.body.output is not None or self.autograd == "run":
            return []  # it was said which of them is the output; a library differentiates all of them
        places = [found for at in (self.body.gradient_at, self.body.parameters_at) for found in _texts(at)]
        read = read | {name for source in places for name in names_in(parse_expression(source))}
        known = read | outputs | {f"d{name}" for name in gradients}
        return [name for name in self.forward.assigned if name not in known]

    def _mapping_or_container(
        self, found: SourceText | Mapping[str, SourceText] | None, before: list[Plain] | None
    ) -> tuple[dict[str, Plain], Plain | None]:
        if found is None:
            return {}, None
        if isinstance(found, SourceText):
            return {}, plain(parse_expression(found), found, before)
        return {name: plain(parse_expression(text), text, before) for name, text in found.items()}, None

    def _returned(self, declared: set[str], has_containers: bool) -> dict[str, Plain]:
        """Gradients that statements assign to `d<name>`; one that belongs to nothing and is not used is a mistake."""
        found: dict[str, Plain] = {}
        used = {name.id for name in self.backward.read}
        for lines in (self.forward, self.backward):
            for target, span in lines.assigned.items():
                name = target[1:]
                if not target.startswith("d") or not name:
                    continue
                if name in self.case.inputs or name in declared or self._is_variable(name, target, used):
                    found[name] = ["name", target]
                elif lines is self.backward and target not in used:
                    if has_containers or self.objects:
                        found[name] = ["name", target]  # of a parameter, which is looked for when the object is built
                        continue
                    meant = [f"d{other}" for other in self.case.inputs if other.lower() == name.lower()]
                    otherwise = "write '_' for a value that is not needed"
                    hint = did_you_mean(target, meant or [f"d{other}" for other in self.case.inputs], otherwise)
                    if meant:
                        hint = f"did you mean '{meant[0]}'?"
                    message = f"backward gives '{target}', but no input is called '{name}'"
                    raise NotationError(message, hint, lines.source, span)
        return found

    def _is_variable(self, name: str, target: str, used: set[str]) -> bool:
        """Whether `dW` is the gradient of W at the top level of the file, the weights of a script say."""
        is_other = target in used or name in self.known or name in self.forward.assigned or name in self.objects
        return not is_other and name in variables_of(self.body.path)

    def _free(self, upstream: list[list[str]]) -> list[str]:
        """Names that the module must have from the start."""
        given = {name for _, name in upstream}
        after_setup = {*self.known, *self.objects}
        names = unresolved(self.setup.unknown(self.known))
        later = [*self.forward.unknown(after_setup), *self.backward.unknown(self.after_forward | given)]
        called = self.forward.called | self.backward.called
        # A setup may create module globals as it runs, so only what is called must exist before.
        names += [name for name in unresolved(later) if name in called or not self.setup.statements]
        return list(dict.fromkeys(names))


def _items(node: Node | None) -> tuple[Node, ...]:
    if node is None:
        return ()
    return tuple(inner for item in node.items for inner in _items(item)) if isinstance(node, Sequence) else (node,)


def _names(target: Node | None) -> list[str]:
    """Names that a target sets, without those that drop a value."""
    return [node.id for node in _items(target) if isinstance(node, Name) and node.id != "_"]


def _last_name(node: Node) -> str:
    """`layer.Z` is called Z, `layer.outputs[0]` has no name."""
    return node.id if isinstance(node, Name) else node.name if isinstance(node, Attribute) else ""


def _texts(found: SourceText | Mapping[str, SourceText] | None) -> list[SourceText]:
    return [found] if isinstance(found, SourceText) else list((found or {}).values())


def _listed(names: list[str]) -> str:
    return ", ".join(f"'{name}'" for name in names) or "nothing"


def is_bare(source: SourceText | None) -> bool:
    """Whether a text is one name alone, shorthand for a convention."""
    if source is None:
        return False
    lines: Lines = lines_of(source)
    only = lines.statements[0]
    return len(lines.statements) == 1 and only.target is None and isinstance(only.value, Name)
