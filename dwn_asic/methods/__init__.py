"""Methods: our network and the baselines, each in a module that declares itself in ``METHOD``.

``base`` defines what a method is, ``registry`` finds all methods, ``parts`` holds what several of them share.
"""
