"""The event store on Elasticsearch 8.x (see :mod:`.store`).

Nothing is imported here: the client takes a third of a second, and most processes have no Elasticsearch.
"""
