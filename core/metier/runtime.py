"""`Runtime`: where requests and pipelines are run."""

from __future__ import annotations

import asyncio
import functools
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, suppress
from contextvars import copy_context
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self, overload
from weakref import WeakKeyDictionary

from metier_contracts import (
    CallContext,
    Classification,
    Classify,
    FitRequest,
    Generate,
    GenerationChunk,
    InputError,
    MetierError,
    Model,
    ModelCard,
    Placement,
    PluginQuarantinedError,
    Request,
    Response,
)
from typing_extensions import TypeVar

from metier import tracing
from metier.accounting import Ledger, Meter, opened
from metier.answers import Answers
from metier.catalog import Catalog, Entry
from metier.config import Config, Privacy, check_cards, check_defaults, load_settings
from metier.decision.requirements import Requirements
from metier.decision.work import Work
from metier.devices import DeviceQuery, TorchDevices, only_dtype, parse_device, place
from metier.fitted import fitted_cards
from metier.fitting import Fitting
from metier.isolation import Workers
from metier.mapping import OnError, mapped
from metier.memory import default_budget
from metier.perform import Performer
from metier.pipeline.engine import Call, run_batch, settled, whole
from metier.pipeline.privacy import private_tasks, refuse_remote
from metier.pipeline.step import Step
from metier.pipeline.trace import Trace
from metier.plugins import PluginHost, discover
from metier.residency import Residency, closed_error
from metier.scope import Scope
from metier.selection import Selector
from metier.tasks import Tasks
from metier.terms import Terms
from metier.traces import Traces
from metier.usage import Usage
from metier.weights import WeightStore, terminal_progress
from metier.weights.progress import ProgressCallback

if TYPE_CHECKING:
    from metier.decision.decision import Decision
    from metier.decision.plan import Plan, PlannedCall
    from metier.locking.guard import LockGuard
    from metier.pipeline.lift import TaskStep

A = TypeVar("A")
R = TypeVar("R")
ResponseT = TypeVar("ResponseT", bound=Response)

_MISSING: Any = object()
_ASYNC_WORKERS = 32


@dataclass(frozen=True)
class ModelInfo:
    """A row of `Runtime.models()`.

    `origin`: what brought the card. `state` and `fix`: the plugin's. `pulled`: whether the weights are on this machine
    (True where there are none to pull). `loaded_bytes`: the measured bytes in memory, None where it is not loaded.
    """

    card: ModelCard
    origin: str
    state: str
    fix: str
    pulled: bool
    loaded_bytes: int | None


class Runtime:
    """Runs requests and pipelines: chooses, loads, places and batches models, and checks what they answer.

    Safe to use from several threads and tasks at once. Close it, or use it as a context manager. An argument left at
    None is taken from the settings (metier.toml, METIER_*).

    Args:
        device: "auto" (the best one that the card and the machine share), "cpu", "cuda:N" or "mps".
        memory: the byte budget of all loaded models, a number or "4GB"; by default four fifths of the machine's memory.
        privacy: "local" never chooses a remote model, "any" may.
        offline: never open a socket, not even to pull weights.
        strict: an ambiguous choice of model is an error.
        max_cost: the most US dollars that all calls together may cost; by default there is no limit.
        cards: models of your own, beside those of the plugins.
        config: a settings file, a mapping or a `Config` in place of the metier.toml files.
        devices: what is asked for the machine's devices; for tests.

    Raises:
        ConfigError: a setting does not fit. DeviceError: the device is none.
    """

    def __init__(
        self,
        device: str | None = None,
        memory: int | str | None = None,
        privacy: Privacy | None = None,
        offline: bool | None = None,
        *,
        strict: bool | None = None,
        max_cost: float | None = None,
        cards: Sequence[ModelCard] = (),
        config: Config | Mapping[str, Any] | str | Path | None = None,
        devices: DeviceQuery | None = None,
    ) -> None:
        given = {
            "device": device,
            "memory": memory,
            "privacy": privacy,
            "offline": offline,
            "strict": strict,
            "max_cost": max_cost,
        }
        settings = load_settings(config, {name: value for name, value in given.items() if value is not None})
        self.config = settings.config
        self._device = parse_device(self.config.device, settings.origins.get("device"))
        check_cards(cards, "Runtime(cards=...)")
        self._devices = devices or TorchDevices()
        self._workers = Workers(self.config)
        self._host = PluginHost(discover(self.config.isolation), self._workers)
        self._store = WeightStore(offline=self.config.offline, grants=self.config.grants)
        self._guard = _lock_guard(self.config.lock)
        self._catalog = Catalog(
            self._host, {"fitted": fitted_cards(), "config": self.config.cards, "runtime": tuple(cards)}
        )
        check_defaults(settings, self._catalog.tasks)
        self._selector = Selector(self._catalog, self.config, self._pulled)
        budget = self.config.memory if self.config.memory is not None else default_budget()
        self._residency = Residency(budget, self._load_model)
        self._ledger = Ledger(self.config.max_cost)
        self._performer = Performer(self._selector, self._residency, self._ledger)
        self._answers = Answers(self._selector, self._ledger)
        self._fitting = Fitting(self._catalog, self._selector, self._residency, self._classified)
        self._traces = Traces()
        self._pool: ThreadPoolExecutor | None = None
        self._streams: WeakKeyDictionary[Generator[Response, None, None], int] = WeakKeyDictionary()
        self._closed = False
        self._lock = threading.Lock()

    @overload
    def run(
        self,
        request: Request[ResponseT],
        /,
        *,
        model: str | None = None,
        require: Requirements | None = None,
        deadline: float | None = None,
        max_cost: float | None = None,
        strict: bool | None = None,
    ) -> ResponseT: ...
    @overload
    def run(
        self, pipeline: Step[A, R], value: A, /, *, deadline: float | None = None, max_cost: float | None = None
    ) -> R: ...
    def run(
        self,
        target: Any,
        value: Any = _MISSING,
        /,
        *,
        model: str | None = None,
        require: Requirements | None = None,
        deadline: float | None = None,
        max_cost: float | None = None,
        strict: bool | None = None,
    ) -> Any:
        """Perform a request, or run a pipeline on one value.

        Args:
            target: a request, or a pipeline followed by the value it takes.
            value: what the pipeline takes.
            model: the id of the model that serves the request (in a pipeline each @task names its own).
            require: what the model must keep to: the cheapest that does serves the request; see `decide`.
            deadline: seconds from now after which the caller stops waiting.
            max_cost: the most US dollars that the run may cost; a request that could cost more is not sent.
            strict: an ambiguous choice of model is an error; None for the runtime's setting.

        Raises:
            MetierError: see the tree in `metier_contracts.errors`. What a step's own function raises comes as it is.
        """
        context, terms = _context(deadline), Terms(model, strict, require)
        if max_cost is None and tracing.tracer() is None:
            return self._run(target, value, context, terms)
        with self._entered(target, max_cost):
            return self._run(target, value, context, terms)

    def _run(self, target: Any, value: Any, context: CallContext, terms: Terms) -> Any:
        if isinstance(target, Step):
            _check_pipeline_call(value, terms)
            return whole(self._through(target, context)([value])[0])
        if value is not _MISSING:
            raise InputError(
                "a request takes no value beside it",
                expected="run(request) or run(pipeline, value)",
                got=f"run({type(target).__name__}, {type(value).__name__})",
                blame="the arguments of run",
                hint="lift the function that makes the request with @task to get a pipeline",
            )
        return self._performer.perform_one(target, context, terms)

    def _through(self, pipeline: Step[Any, Any], context: CallContext) -> Callable[[Sequence[Any]], list[Any]]:
        """Return what takes values through a pipeline: it gives the result or the `Failed` of each, in order."""
        secured = self._secured(pipeline)

        def through(values: Sequence[Any]) -> list[Any]:
            def run(traces: Sequence[Trace]) -> list[Any]:
                call = Call(self._performer.perform, context, self._answers.remembered, traces=traces)
                return run_batch(secured, values, call)

            return self._traces.recorded(pipeline, values, run)

        return through

    def _secured(self, pipeline: Step[Any, Any]) -> Step[Any, Any]:
        """Return a pipeline as it runs, once no task that private data reach is found to name a remote model."""
        for task in private_tasks(pipeline):
            model = task.terms.model
            if model is not None and model in self._catalog:
                refuse_remote(task, self._catalog.get(model).card)
        return pipeline.secured

    @overload
    async def arun(
        self,
        request: Request[ResponseT],
        /,
        *,
        model: str | None = None,
        require: Requirements | None = None,
        deadline: float | None = None,
        max_cost: float | None = None,
        strict: bool | None = None,
    ) -> ResponseT: ...
    @overload
    async def arun(
        self, pipeline: Step[A, R], value: A, /, *, deadline: float | None = None, max_cost: float | None = None
    ) -> R: ...
    async def arun(
        self,
        target: Any,
        value: Any = _MISSING,
        /,
        *,
        model: str | None = None,
        require: Requirements | None = None,
        deadline: float | None = None,
        max_cost: float | None = None,
        strict: bool | None = None,
    ) -> Any:
        """Do what `run` does in a worker thread: the event loop stays free, and cancelling the task stops the model."""
        context = _context(deadline)
        terms = Terms(model, strict, require)
        with self._entered(target, max_cost):
            work = functools.partial(copy_context().run, self._run_in_worker, target, value, context, terms)
            try:
                result = await asyncio.wrap_future(self._submit(work))
            except asyncio.CancelledError:
                context.cancel()
                raise
        if isinstance(result, _StoppedIteration):
            raise RuntimeError(f"a step raised {result.error!r}") from result.error
        return result

    def _run_in_worker(self, *arguments: Any) -> Any:
        try:
            return self._run(*arguments)
        except StopIteration as error:
            # No future can hold a StopIteration: the caller would wait for ever.
            return _StoppedIteration(error)

    @overload
    def map(
        self,
        requests: Iterable[Request[ResponseT]],
        /,
        *,
        model: str | None = None,
        require: Requirements | None = None,
        batch_size: int = 64,
        deadline: float | None = None,
        max_cost: float | None = None,
        progress: bool | ProgressCallback = True,
        on_error: Literal["raise"] = "raise",
    ) -> Iterator[ResponseT]: ...
    @overload
    def map(
        self,
        pipeline: Step[A, R],
        values: Iterable[A],
        /,
        *,
        batch_size: int = 64,
        deadline: float | None = None,
        max_cost: float | None = None,
        progress: bool | ProgressCallback = True,
        on_error: Literal["raise"] = "raise",
    ) -> Iterator[R]: ...
    @overload
    def map(
        self,
        requests: Iterable[Request[ResponseT]],
        /,
        *,
        model: str | None = None,
        require: Requirements | None = None,
        batch_size: int = 64,
        deadline: float | None = None,
        max_cost: float | None = None,
        progress: bool | ProgressCallback = True,
        on_error: Literal["collect"],
    ) -> Iterator[ResponseT | Exception]: ...
    @overload
    def map(
        self,
        pipeline: Step[A, R],
        values: Iterable[A],
        /,
        *,
        batch_size: int = 64,
        deadline: float | None = None,
        max_cost: float | None = None,
        progress: bool | ProgressCallback = True,
        on_error: Literal["collect"],
    ) -> Iterator[R | Exception]: ...
    def map(
        self,
        target: Any,
        values: Any = _MISSING,
        /,
        *,
        model: str | None = None,
        require: Requirements | None = None,
        batch_size: int = 64,
        deadline: float | None = None,
        max_cost: float | None = None,
        progress: bool | ProgressCallback = True,
        on_error: OnError = "raise",
    ) -> Iterator[Any]:
        """Perform many requests, or run a pipeline on many values: in order, one batch a model and step at a time.

        Args:
            target: requests, or a pipeline followed by the values it takes.
            values: what the pipeline takes, one after the other; any iterable, read as it is needed.
            model: the id of the model that serves the requests.
            require: what the model must keep to.
            batch_size: how many values go through together.
            deadline: seconds from now, for all of them.
            max_cost: the most US dollars that all of them may cost together.
            progress: True for a bar where stderr is a terminal, False for none, or a function of (done, total).
            on_error: "raise" stops at the first item that failed, "collect" yields its exception in its place.
        """
        if batch_size < 1:
            raise InputError("batch_size is a count", expected="1 or more", got=str(batch_size), blame="batch_size=...")
        context, terms = _context(deadline), Terms(model, require=require)
        scope = Scope(target, self._ledger.limited(max_cost), tracing.here())
        if isinstance(target, Step):
            _check_pipeline_call(values, terms)
            return mapped(self._through(target, context), values, batch_size, progress, on_error, scope)
        return mapped(
            lambda batch: settled(self._performer.perform(batch, context, terms)),
            target,
            batch_size,
            progress,
            on_error,
            scope,
        )

    @overload
    def stream(
        self,
        request: Generate,
        /,
        *,
        model: str | None = None,
        require: Requirements | None = None,
        deadline: float | None = None,
        max_cost: float | None = None,
    ) -> Iterator[GenerationChunk]: ...
    @overload
    def stream(
        self,
        request: Request[Any],
        /,
        *,
        model: str | None = None,
        require: Requirements | None = None,
        deadline: float | None = None,
        max_cost: float | None = None,
    ) -> Iterator[Response]: ...
    def stream(
        self,
        request: Request[Any],
        /,
        *,
        model: str | None = None,
        require: Requirements | None = None,
        deadline: float | None = None,
        max_cost: float | None = None,
    ) -> Iterator[Response]:
        """Yield the pieces of an answer as the model makes them; closing the iterator stops the model.

        A stream that is still open when its own thread closes the runtime ends there.

        Raises:
            UnsupportedError: the task, or the model chosen, does not stream.
            BudgetExceededError: with the first piece, where the answer could cost more than `max_cost`.
        """
        with opened(self._ledger.limited(max_cost)):
            pieces = self._performer.stream(request, _context(deadline), Terms(model, require=require))
        with self._lock:
            self._streams[pieces] = threading.get_ident()
        return pieces

    def usage(self) -> Usage:
        """Return what all calls of models used since the runtime was made, by model and by step."""
        return self._ledger.all.usage

    def metered(self, *, max_cost: float | None = None) -> AbstractContextManager[Meter]:
        """Count what the calls of a block use: `with runtime.metered() as meter: ...`, then `meter.usage`.

        What is asked for in the block counts, also where it is done in other threads (of `parallel`, of `arun`) or
        later (the values of `map` and the pieces of `stream`). Meters nest. A thread of your own takes part where it
        runs in a copy of the block's context (`contextvars.copy_context().run`).

        Args:
            max_cost: the most US dollars that those calls may cost together.
        """
        return self._ledger.metered(max_cost)

    def fit(self, request: FitRequest, *, replace: bool = False, progress: bool | ProgressCallback = True) -> ModelCard:
        """Fit a model, keep it on this machine, and return its card: from now on it is used by its id.

        Args:
            request: what to fit, from which base, under which id.
            replace: take the place of an earlier fitted model of that id.
            progress: True for a bar where stderr is a terminal, False for none, or a function of (done, total).

        Raises:
            InputError: the id is taken. UnsupportedError: the base cannot be fitted from.
            StorageError: the folder of fitted models cannot be written.
        """
        return self._fitting.fit(request, replace=replace, progress=progress)

    @overload
    def plan(
        self, request: Request[Any], /, *, model: str | None = None, require: Requirements | None = None
    ) -> Plan: ...
    @overload
    def plan(self, pipeline: Step[A, Any], /, *, like: Iterable[A] | None = None) -> Plan: ...
    def plan(
        self,
        target: Any,
        /,
        *,
        like: Iterable[Any] | None = None,
        model: str | None = None,
        require: Requirements | None = None,
    ) -> Plan:
        """Return which models a request or a pipeline would use, and what that takes. Nothing is loaded or sent.

        A request is planned at its own size. Of a pipeline nothing is known before its functions have run, so its plan
        holds bounds: the cheapest and the dearest way through it, at the sizes by which models are measured. With a
        sample of values that this runtime has run, `plan.likely` has what to expect of a value like these.

        Args:
            target: a request, or a pipeline.
            like: values that went through the pipeline here, in `run` or `map`; what they asked for is remembered.
            model: the id of the model that serves the request.
            require: what the model must keep to.

        Raises:
            InputError: values of `like` have not run here.
            PrivacyError: private data would come to a task that names a remote model.
            MetierError: whatever running it would raise when a model is chosen.
        """
        from metier.decision.plan import Plan, planned

        terms = Terms(model, require=require)
        if isinstance(target, Step):
            _check_no_terms(terms)
            secured = self._secured(target)
            if like is not None:
                return self._planned_like(secured, self._traces.of(target, like))
            return planned(secured, self._planned_call, self.tasks)
        task = self.tasks.of(target)
        _check_no_sample(like)
        entry, work = self._selector.choose(target, terms), Work.of_request(target, target.needs(), task)
        return Plan.of_call(self._selector.decider.planned(entry, work, None))

    def _planned_like(self, pipeline: Step[Any, Any], traces: Sequence[Trace]) -> Plan:
        from metier.decision.likely import planned_like

        return planned_like(pipeline, traces, self._selector.decider.asker())

    def _planned_call(self, work: Work, step: TaskStep[Any, Any]) -> PlannedCall:
        entry = self._selector.choose_for(work, step.chosen_by)
        return self._selector.decider.planned(entry, work, step.name)

    def decide(
        self, work: type[Request[Any]] | Request[Any] | str, requirements: Requirements | None = None
    ) -> Decision:
        """Return which model does this work within the requirements, at what cost, and what binds each of the others.

        Every card that serves the task counts, whether it runs at once, is still to be pulled, or needs an extra. Of
        plugins nothing is imported but the module of a task that one brings, and nothing is sent.

        Args:
            work: a request; or a task, by the class of its requests or by its name, at the size by which models are
                measured.
            requirements: what the model must keep to; None for nothing beyond the settings.

        Raises:
            InputError: it is no work. UnknownTaskError: no task has that name. ProfileError: the measured profiles
                cannot be read.
        """
        return self._selector.decider.decide(Work.of(work, self.tasks), requirements or Requirements())

    def _classified(
        self, requests: Sequence[Classify], model: str, progress: ProgressCallback
    ) -> Iterator[Classification]:
        return self.map(requests, model=model, progress=progress)

    def load(self, model: str, *, deadline: float | None = None) -> ModelInfo:
        """Load a model now rather than at its first use; of a composed one, all that it is composed of."""
        entry = self._catalog.get(model)
        self._selector.allow(entry)
        if entry.card.cascade is not None:
            for member in entry.card.cascade.members:
                self.load(member, deadline=deadline)
            return self._info(entry)
        with self._residency.pinned(entry.card, _context(deadline)):
            return self._info(entry)

    def unload(self, model: str, *, deadline: float | None = None) -> bool:
        """Close a model once it is idle, and return whether it was loaded."""
        return self._residency.unload(self._catalog.get(model).card.id, _context(deadline))

    @property
    def tasks(self) -> Tasks:
        """The tasks known here: the built-in ones, and those that plugins bring."""
        return self._catalog.tasks

    def models(self) -> list[ModelInfo]:
        """Return a row for every model known here, by id. No plugin is imported for it."""
        return [self._info(entry) for entry in self._catalog.entries]

    def model(self, model: str) -> ModelInfo:
        """Return the row of one model; raise `UnknownModelError` where nothing has that id."""
        return self._info(self._catalog.get(model))

    def _info(self, entry: Entry) -> ModelInfo:
        card, plugin = entry.card, entry.plugin
        state, fix = ("available", "") if plugin is None else (plugin.state, plugin.fix)
        if card.cascade is not None and not self._catalog.ready(entry):
            absent = [model for model in card.cascade.members if model not in self._catalog]
            fixes = (self._info(member).fix for member in self._catalog.members(entry))
            state = "available"
            fix = f"it lacks {', '.join(absent)}" if absent else "; ".join(filter(None, fixes))
        return ModelInfo(card, entry.origin, state, fix, self._pulled(card), self._residency.bytes_of(card.id))

    def _pulled(self, card: ModelCard) -> bool:
        if card.cascade is not None:
            members = [self._catalog.get(model).card for model in card.cascade.members if model in self._catalog]
            return all(map(self._pulled, members))
        return card.source is None or card.remote or self._store.locate(card) is not None

    def pull(self, model: str, *, force: bool = False, progress: ProgressCallback | None = None) -> Path | None:
        """Fetch and check a model's weights without loading it; return their folder (None where it has none).

        Args:
            model: the model's id.
            force: fetch again what is there already.
            progress: a function of (bytes done, bytes in all or None).
        """
        card = self._catalog.get(model).card
        for member in () if card.cascade is None else card.cascade.members:
            self.pull(member, force=force, progress=progress)
        return self._store.ensure(card, progress=progress, force=force)

    @property
    def accounted_bytes(self) -> int:
        """The bytes that the loaded models are accounted for; never more than `budget_bytes`."""
        return self._residency.accounted

    @property
    def budget_bytes(self) -> int:
        """The byte budget of all loaded models."""
        return self._residency.budget

    def close(self) -> None:
        """Wait for the calls at work, and close every model. Later calls raise `RuntimeClosedError`."""
        with self._lock:
            self._closed = True
            pool, self._pool = self._pool, None
            own = [pieces for pieces, thread in self._streams.items() if thread == threading.get_ident()]
        for pieces in own:
            # To wait for a stream that this thread itself has open were to wait for ever.
            with suppress(MetierError, ValueError):  # ValueError: another thread is taking a piece of it right now
                pieces.close()
        self._residency.close()
        self._workers.close()
        if pool is not None:
            pool.shutdown()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _load_model(self, card: ModelCard) -> tuple[Model, Placement]:
        device = place(card, self._device, self._devices)
        with terminal_progress(f"pull {card.id}") as progress:
            directory = self._store.ensure(card, progress=progress)
        if self._guard is not None:
            self._guard.check(card, directory)
        placement = Placement(
            device,
            only_dtype(card),
            directory,
            allow_pickle=card.id in self.config.grants,
            scratch=self._store.scratch(card),
        )
        try:
            return self._host.load_model(card, placement), placement
        except PluginQuarantinedError:
            # From now on requests that name no model go to the plugins that work.
            self._catalog.refresh(card.plugin)
            self._selector.forget()
            raise

    @contextmanager
    def _entered(self, target: Any, max_cost: float | None) -> Iterator[None]:
        """Enter what a run happens in: its budget and its span, where there are such."""
        with opened(self._ledger.limited(max_cost)), tracing.running(target):
            yield

    def _submit(self, work: Callable[[], Any]) -> Future[Any]:
        with self._lock:
            if self._closed:
                raise closed_error()
            if self._pool is None:
                self._pool = ThreadPoolExecutor(_ASYNC_WORKERS, thread_name_prefix="metier")
            return self._pool.submit(work)


@dataclass(frozen=True)
class _StoppedIteration:
    error: StopIteration


def _lock_guard(path: str | None) -> LockGuard | None:
    if path is None:
        return None
    from metier.locking.guard import LockGuard

    return LockGuard(Path(path).expanduser())


def _context(deadline: float | None) -> CallContext:
    return CallContext() if deadline is None else CallContext(deadline=time.monotonic() + deadline)


def _check_pipeline_call(value: Any, terms: Terms) -> None:
    if value is _MISSING:
        raise InputError(
            "a pipeline needs the value it takes",
            expected="run(pipeline, value)",
            got="run(pipeline)",
            blame="the arguments of run",
        )
    _check_no_terms(terms)


def _check_no_sample(like: object) -> None:
    if like is not None:
        raise InputError(
            "like=... is for a pipeline",
            expected="a request alone, which is planned at its own size",
            got="like=... beside a request",
            blame="like=... of plan",
        )


def _check_no_terms(terms: Terms) -> None:
    for name, term in (("model", terms.model), ("require", terms.require)):
        if term is not None:
            raise InputError(
                f"{name}=... is for a request",
                expected="a pipeline whose tasks name their own models",
                got=f"{name}={term!r} beside a pipeline",
                blame=f"{name}=... of the call",
                hint=f"write @task({name}={term!r}) at the task's function",
            )
