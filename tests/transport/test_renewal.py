"""A stale or refused credential is renewed once, for all calls that wait."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from attrs import define, evolve, field

from aioinstructure import Canvas
from aioinstructure.clock import Clock
from aioinstructure.errors import ConfigurationError, ConnectError, Error, QuotaError, Unauthorized
from aioinstructure.quota import Scheduler, TokenBucket
from aioinstructure.testing import FakeTransport, VirtualLoop, reply
from aioinstructure.wire.message import Request, Response
from tests.transport.rig import assert_nothing_left, canvas_on, invalid_token, now, running_clock


@define(eq=False)
class Rotating:
    """A credential whose refresh tokens work once; `service` is the server that knows them."""

    service: Service
    token: str = ""
    refresh_token: str = "r0"
    discarded: int = 0

    def authorize(self, request: Request, now: float) -> Request:
        return evolve(request, headers=request.headers.with_field("authorization", self.token))

    def needs_refresh(self, now: float) -> bool:
        return not self.token

    async def refresh(self) -> None:
        self.token, self.refresh_token = await self.service.exchange(self.refresh_token)

    def invalidate(self) -> bool:
        self.discarded += 1
        self.token = ""
        return True


@define(eq=False)
class Service:
    """A server of tokens, and of the calls that they authorize."""

    seconds: float = 5.0
    """How long a refresh takes."""

    accepts: str = "t1"
    failures: list[BaseException] = field(factory=list)
    """What the next refreshes raise."""

    refreshes: int = 0
    """How many refreshes have started."""

    calls: int = 0

    async def exchange(self, refresh_token: str) -> tuple[str, str]:
        self.refreshes += 1
        await asyncio.sleep(self.seconds)
        if self.failures:
            raise self.failures.pop(0)
        number = int(refresh_token[1:])
        if refresh_token != f"r{int(self.accepts[1:]) - 1}":
            raise ConfigurationError(f"the refresh token {refresh_token} was used already")
        return f"t{number + 1}", f"r{number + 1}"

    def answer(self, request: Request) -> Response:
        self.calls += 1
        return reply([]) if request.headers["authorization"] == self.accepts else invalid_token()


def client(service: Service, token: str = "", **options: Any) -> tuple[Canvas, Rotating]:
    auth = Rotating(service, token)
    canvas, _ = canvas_on([service.answer], auth=auth, **options)
    return canvas, auth


@define(eq=False)
class SlowTransport:
    """Answers the n-th call `gap` seconds after the one before it; the first after a second."""

    answer: Callable[[Request], Response]
    gap: float
    sent: int = 0

    async def send(self, request: Request, on_head: Any = None) -> Response:
        delay = 1.0 + self.gap * self.sent if self.sent < 10 else 0.0
        self.sent += 1
        await asyncio.sleep(delay)
        response = self.answer(request)
        if on_head is not None:
            on_head(response.status, response.headers)
        return response

    async def close(self) -> None:
        """Do nothing."""


async def ask(canvas: Canvas, path: str = "/api/v1/x") -> Any:
    """The body of the answer."""
    return (await canvas.request("GET", path)).json()


async def ten(canvas: Canvas) -> list[Any]:
    calls = (ask(canvas, f"/api/v1/courses/{n}") for n in range(10))
    return await asyncio.gather(*calls, return_exceptions=True)


async def test_a_stale_credential_is_renewed_once_for_ten_calls() -> None:
    """The refresh token works once: one refresh, ten answers, and no call is refused."""
    service = Service()
    canvas, auth = client(service)
    start = now()
    assert await ten(canvas) == [[]] * 10
    assert now() - start == pytest.approx(5, abs=0.1)
    assert (service.refreshes, service.calls, auth.discarded) == (1, 10, 0)
    assert_nothing_left(canvas)


async def test_a_view_waits_for_the_same_renewal() -> None:
    """Views of a client have its credential, and therefore its renewal."""
    service = Service()
    canvas, _ = client(service)
    view = canvas.with_options(lane="bulk")
    await asyncio.gather(canvas.request("GET", "/api/v1/a"), view.request("GET", "/api/v1/b"))
    assert service.refreshes == 1


@pytest.mark.parametrize("seconds", [0.0, 0.05, 5.0])
@pytest.mark.parametrize("gap", [0.0, 0.02])
async def test_ten_refusals_of_one_token_renew_it_once(gap: float, seconds: float) -> None:
    """Refusals that arrive before, during and after the renewal: one refresh, ten answers."""
    service = Service(seconds)
    auth = Rotating(service, "t0")
    transport = SlowTransport(service.answer, gap)
    clock = running_clock()
    quota = Scheduler(TokenBucket(1_000, 1_000), clock=clock)
    canvas = Canvas("https://canvas.test", auth=auth, transport=transport, clock=clock, quota=quota)
    assert await ten(canvas) == [[]] * 10
    assert (service.refreshes, auth.discarded, transport.sent) == (1, 1, 20)
    assert_nothing_left(canvas)


async def test_calls_that_were_queued_during_a_refusal_do_not_renew_again() -> None:
    """They leave the queue after the token was discarded, and are refused: they only repeat."""
    service = Service()
    auth = Rotating(service, "t0")
    transport = FakeTransport([service.answer], seconds=0.5)
    clock = running_clock()
    quota = Scheduler(TokenBucket(5, 1), clock=clock)
    canvas = Canvas("https://canvas.test", auth=auth, transport=transport, clock=clock, quota=quota)
    assert await ten(canvas) == [[]] * 10
    assert (service.refreshes, auth.discarded, len(transport.requests)) == (1, 1, 20)
    assert_nothing_left(canvas)


async def test_a_token_refused_later_is_renewed_again() -> None:
    """A request with the present token was refused: that is a reason for a second renewal."""
    service = Service()
    canvas, auth = client(service)
    await canvas.request("GET", "/api/v1/x")
    service.accepts = "t2"
    assert await ten(canvas) == [[]] * 10
    assert (service.refreshes, auth.discarded) == (2, 1)


async def test_a_token_that_is_always_refused_is_renewed_once() -> None:
    """Each call is repeated once with the renewed token, and then raises the refusal."""
    service = Service()
    auth = Rotating(service, "t0")
    canvas, transport = canvas_on([lambda _: invalid_token()], auth=auth)
    assert [type(each) for each in await ten(canvas)] == [Unauthorized] * 10
    assert (service.refreshes, len(transport.requests)) == (1, 20)
    assert_nothing_left(canvas)


async def test_all_that_wait_get_the_error_of_a_refresh() -> None:
    """One refresh, ten errors, none of them shared; the next call tries again."""
    service = Service(failures=[ConfigurationError("no refresh token")])
    canvas, _ = client(service)
    errors = await ten(canvas)
    assert [str(error) for error in errors] == ["no refresh token"] * 10
    assert len({id(error) for error in errors}) == 10
    assert (service.refreshes, service.calls) == (1, 0)
    assert await ask(canvas) == []
    assert service.refreshes == 2
    assert_nothing_left(canvas)


async def test_an_exception_of_another_library_is_raised_unchanged() -> None:
    """What a refresh raises may not allow a copy: all that wait get the exception itself."""
    failure = LookupError("no key")
    canvas, _ = client(Service(failures=[failure]))
    assert await ten(canvas) == [failure] * 10
    assert_nothing_left(canvas)


async def test_a_refused_refresh_token_is_final() -> None:
    """The 401 of a token request is not a refusal of the call: no second refresh, nothing sent."""
    request = Request("POST", "https://canvas.test/login/oauth2/token", idempotent=False)
    failure = Unauthorized(evolve(invalid_token(), request=request))
    service = Service(failures=[failure])
    canvas, auth = client(service)
    assert [type(each) for each in await ten(canvas)] == [Unauthorized] * 10
    assert (service.refreshes, service.calls, auth.discarded) == (1, 0, 0)


async def test_a_refresh_without_a_connection_is_repeated() -> None:
    """It is retried like a call."""
    service = Service(failures=[ConnectError("refused")])
    canvas, _ = client(service)
    assert await ask(canvas) == []
    assert service.refreshes == 2


@pytest.mark.parametrize("cancelled", [1, 10])
@pytest.mark.parametrize("failure", [None, ConfigurationError("no refresh token")])
async def test_a_cancelled_caller_does_not_end_the_renewal(
    cancelled: int, failure: Error | None
) -> None:
    """The others get its token or its error; without others it ends by itself, in silence."""
    reports: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, report: reports.append(report))
    service = Service(failures=[failure] if failure else [])
    canvas, auth = client(service)
    paths = [f"/api/v1/courses/{n}" for n in range(10)]
    tasks = [asyncio.create_task(ask(canvas, path)) for path in paths]
    await asyncio.sleep(1)
    for task in tasks[:cancelled]:
        task.cancel()
    ends = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(end, asyncio.CancelledError) for end in ends[:cancelled])
    wanted = str(failure) if failure else "[]"
    assert [str(end) for end in ends[cancelled:]] == [wanted] * (10 - cancelled)
    await asyncio.sleep(5)
    assert service.refreshes == 1
    assert auth.token == ("" if failure else "t1")
    assert_nothing_left(canvas)
    assert reports == []


async def test_a_deadline_does_not_end_the_renewal() -> None:
    """The call that was too short raises; the next one finds the renewed token."""
    service = Service()
    canvas, _ = client(service, deadline=2)
    with pytest.raises(QuotaError):
        await canvas.request("GET", "/api/v1/x")
    await asyncio.sleep(4)
    assert await ask(canvas) == []
    assert service.refreshes == 1


@pytest.mark.parametrize("tidy", [True, False])
def test_another_event_loop_renews_again(tidy: bool) -> None:
    """A renewal that its loop did not end, cancelled or left behind, holds up no later loop."""
    service = Service()
    auth = Rotating(service)
    transport = FakeTransport([service.answer])
    canvas = Canvas("https://canvas.test", auth=auth, transport=transport, clock=Clock())

    async def part() -> None:
        call = asyncio.create_task(canvas.request("GET", "/api/v1/x"))
        await asyncio.sleep(1)
        call.cancel()
        await asyncio.wait((call,))

    first = VirtualLoop()
    first.run_until_complete(part())
    (left,) = asyncio.all_tasks(first)

    def end() -> None:
        left.cancel()
        first.run_until_complete(asyncio.wait((left,)))
        first.close()

    if tidy:
        end()
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        assert runner.run(ten(canvas)) == [[]] * 10
    if not tidy:
        end()
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        assert runner.run(ten(canvas)) == [[]] * 10
        runner.run(canvas.close())
    assert service.refreshes == 2


@define(eq=False)
class ByTheSameClient(Rotating):
    """A credential that asks the same client for its token."""

    canvas: Canvas | None = None

    async def refresh(self) -> None:
        assert self.canvas is not None
        # In a task of its own, as in a TaskGroup.
        request = self.canvas.request("GET", "/api/v1/token")
        await asyncio.gather(request)
        self.token = "t1"


async def test_a_refresh_through_the_same_client_does_not_wait_for_itself() -> None:
    """What a refresh sends is sent at once, with the credential as it is."""
    service = Service()
    auth = ByTheSameClient(service)
    canvas, transport = canvas_on([reply({}), service.answer], auth=auth, deadline=60)
    auth.canvas = canvas
    assert await ten(canvas) == [[]] * 10
    assert [path for path in transport.paths if "token" in path] == ["/api/v1/token"]
    assert_nothing_left(canvas)


async def test_a_call_with_a_fresh_credential_starts_no_task() -> None:
    """Nothing is stale: the call runs in the task of its caller alone."""
    tasks: list[int] = []

    def counted(_: Request) -> Response:
        tasks.append(len(asyncio.all_tasks()))
        return reply([])

    auth = Rotating(Service(), "t1")
    canvas, _ = canvas_on([counted], auth=auth)
    await canvas.request("GET", "/api/v1/x")
    assert tasks == [1]
