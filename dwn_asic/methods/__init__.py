"""Methods: our network and what it is compared with, each a module that declares all of itself in ``METHOD``.

``base`` says what a method is, ``registry`` finds them all, ``parts`` holds what several are built from.
"""
