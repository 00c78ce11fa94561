"""The asynchronous half: one event loop in a thread of its own, one connection pool, one credential, one SDK client.

The only file, with transport.py, that touches the SDK's machinery. Everything here belongs to one process: a forked
child must not use it, since its loop has no thread there (it would wait for ever).
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from typing import TYPE_CHECKING, TypeVar

import httpx
from kiota_abstractions.native_response_handler import NativeResponseHandler
from kiota_abstractions.request_information import RequestInformation
from kiota_abstractions.request_option import RequestOption
from kiota_http.middleware.options import RedirectHandlerOption, ResponseHandlerOption, RetryHandlerOption
from msgraph.graph_request_adapter import GraphRequestAdapter
from msgraph.graph_request_adapter import options as sdk_options
from msgraph.graph_service_client import GraphServiceClient
from msgraph_core import GraphClientFactory
from msgraph_core.authentication import AzureIdentityAuthenticationProvider

from integration.graph.credential import Cloud, trust

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential

    from integration.graph.governor import Governor

T = TypeVar("T")

CONNECT_SECONDS = 5
MOST_CONNECTIONS = 64


class Engine:
    """Runs coroutines of the SDK for callers in any thread; ``root`` makes request builders."""

    def __init__(
        self, cloud: Cloud, credential: AsyncTokenCredential, governor: Governor, *, timeout_seconds: float
    ) -> None:
        self.cloud = cloud
        self.credential = credential
        self.governor = governor
        self._loop = asyncio.new_event_loop()
        plain = _http(cloud, timeout_seconds)
        # The SDK's transport does not pass on aclose(), so the ones it wraps are kept, to be closed by us.
        self._wrapped = [plain._transport, *(each for each in plain._mounts.values() if each is not None)]
        self._http = GraphClientFactory.create_with_default_middleware(client=plain, options=_options())
        # Only this host is ever sent a token: the SDK's default is any host, hostile next links included.
        sign_in = AzureIdentityAuthenticationProvider(credential, scopes=[cloud.scope], allowed_hosts=[cloud.host])
        self._adapter = GraphRequestAdapter(sign_in, client=self._http)
        self._adapter.base_url = cloud.base_url
        self.root = GraphServiceClient(request_adapter=self._adapter)
        self._whole_answer = ResponseHandlerOption(NativeResponseHandler())
        self._thread = threading.Thread(target=self._loop.run_forever, name="graph", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[object, object, T]) -> T:
        """Run ``work`` on the loop and wait; never call it from the loop itself."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def exchange(self, request: RequestInformation) -> httpx.Response:
        """One request through the SDK's adapter and middleware; the answer as it came, whatever its status."""
        # The SDK's own error classes are skipped: they cost 10 ms and drop @event.existingEventId.
        request.add_request_options([self._whole_answer])
        answer = await self._adapter.send_primitive_async(request, "bytes", {})
        assert isinstance(answer, httpx.Response)
        return answer

    def close(self) -> None:
        """Cancel what is in flight, close the connections, end the thread."""
        self.run(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _close(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await self._http.aclose()
        for transport in self._wrapped:
            await transport.aclose()
        await self.credential.close()
        await self.governor.close()


def _http(cloud: Cloud, timeout_seconds: float) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        base_url=cloud.base_url,
        timeout=httpx.Timeout(timeout_seconds, connect=CONNECT_SECONDS),
        limits=httpx.Limits(max_connections=MOST_CONNECTIONS, max_keepalive_connections=MOST_CONNECTIONS),
        verify=trust(cloud.base_url),
        trust_env=cloud.base_url.startswith("https"),  # a company's proxy has nothing to do with loopback
    )


def _options() -> dict[str, RequestOption]:
    options = dict(sdk_options)
    # The SDK would re-send POSTs after 503 and 504, and sleep up to 3 minutes in our thread: retries are ours.
    options[RetryHandlerOption.get_key()] = RetryHandlerOption(max_retries=0, should_retry=False)
    options[RedirectHandlerOption.get_key()] = RedirectHandlerOption(should_redirect=False)
    return options
