"""The verification page: tells in a browser whether a certificate is genuine, and stores nothing.

``page.py`` is the web application, ``guard.py`` what stands before it, ``uploads.py`` how sides of
sheets arrive, ``workers.py`` and ``worker.py`` the processes that read them, ``answers.py`` and
``sentences.py`` what is told. ``static/`` is the browser's side, written by hand.
"""
