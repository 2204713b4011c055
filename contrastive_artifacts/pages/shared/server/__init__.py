"""The local web servers: access control, errors, ranges, limits and shutdown. Needs the extra ``serve``.

On a loopback address every process of the machine has access, but no web page of another origin: the Host header must
name the loopback (against DNS rebinding), and a request that changes something must be JSON from the page itself, or
bytes on a path that takes uploads. On any other address, a random token is required: once in the address (it is moved
to a cookie), or as ``Authorization: Bearer``. Connections are not encrypted; outside a trusted network use a TLS proxy
or an SSH tunnel.
"""

from __future__ import annotations

from .access import Access as Access
from .access import OpaqueIds as OpaqueIds
from .app import add_page as add_page
from .app import make_app as make_app
from .guard import BYTES as BYTES
from .guard import JSON as JSON
from .guard import MAX_BODY as MAX_BODY
from .guard import UPLOADS as UPLOADS
from .guard import Body as Body
from .ranges import ranged as ranged
from .running import answer as answer
from .running import listening as listening
from .running import serve as serve
from .running import server_of as server_of
