"""Microsoft 365 in a box: a stateful tenant behind the addresses of Microsoft Graph, over real HTTP.

Faithfulness to Microsoft decides here, never the convenience of a client, so nothing of the product is imported.
"""
