"""Makes what people download, in one folder: install.sh and install.py, each complete by itself.

``python -m artefacts FOLDER`` (``make dist``). The same sources give the same bytes, whenever and
wherever they are made: ``lock`` and ``wheels`` get the libraries that requirements.lock names by
their hashes; ``python`` writes install.py; ``licences`` collects what must go with them. ``loader``
is none of this: it travels inside install.py and imports the rest of it.
"""
