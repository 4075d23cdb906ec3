"""The tools over standard input and output, as a server of the Model Context Protocol
(https://modelcontextprotocol.io/specification), with the SDK's low-level server: nothing is offered but tools.
"""

import functools

import anyio
import mcp_types as types
from jsonschema import Draft202012Validator
from mcp.server import Server, ServerRequestContext
from mcp.server.stdio import stdio_server

from index.errors import FootnotedError, UsageError
from rag.system import System

from .tools import DATA, TOOLS, Tool, Values
from .version import installed_version

# Calls at a time; a question keeps a processor busy.
CONCURRENT = 4
_BY_NAME = {tool.name: tool for tool in TOOLS}
_LISTED = types.ListToolsResult(
    tools=[
        types.Tool(
            name=tool.name,
            title=tool.title,
            description=tool.description,
            input_schema={**tool.takes, "additionalProperties": False},
            output_schema=tool.gives,
            annotations=types.ToolAnnotations(
                read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False
            ),
        )
        for tool in TOOLS
    ]
)


def serve(system: System) -> None:
    """Answer what comes on standard input until it ends. Standard output holds the protocol alone."""
    anyio.run(_serve, server(system))


def server(system: System) -> "Server[dict[str, object]]":
    """The server over a system, for any transport of the SDK."""
    places = anyio.CapacityLimiter(CONCURRENT)

    async def listed(
        context: ServerRequestContext[dict[str, object]], params: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        return _LISTED

    async def called(
        context: ServerRequestContext[dict[str, object]], params: types.CallToolRequestParams
    ) -> types.CallToolResult:
        try:
            tool, given = _checked(params.name, params.arguments or {})
            values, text = await anyio.to_thread.run_sync(functools.partial(tool.use, system, given), limiter=places)
        except FootnotedError as error:
            return types.CallToolResult(content=[types.TextContent(text=str(error))], is_error=True)
        return types.CallToolResult(content=[types.TextContent(text=text)], structured_content=values)

    return Server(
        "footnoted",
        title="Footnoted",
        version=installed_version(),
        instructions=f"Search and quote the user's own documents, and name the source of what you say. {DATA}",
        on_list_tools=listed,
        on_call_tool=called,
    )


async def _serve(served: "Server[dict[str, object]]") -> None:
    async with stdio_server() as (read, write):
        await served.run(read, write, served.create_initialization_options())


def _checked(name: str, given: Values) -> tuple[Tool, Values]:
    """The tool and its arguments. Raises UsageError, in a line, for what is no tool or does not fit its schema."""
    if name not in _BY_NAME:
        raise UsageError(f"no tool {name!r}: there are {', '.join(_BY_NAME)}")
    schema = {**_BY_NAME[name].takes, "additionalProperties": False}
    for error in Draft202012Validator(schema).iter_errors(given):
        where = ".".join(map(str, error.absolute_path))
        said = error.message if len(error.message) < 200 else f"{error.message[:200]} ..."
        raise UsageError(" ".join(f"{where}: {said}".removeprefix(": ").split()))
    return _BY_NAME[name], given
