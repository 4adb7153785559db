"""Server-Sent Events: streams of them as a load reads them."""
