"""The tests of tools.py: `python3 -m unittest`."""

import unittest

from coinop_plugin import Failure
from coinop_plugin.testing import Host, call

import tools


class Greeting(unittest.TestCase):
    def test_somebody_is_greeted(self):
        self.assertEqual(call(tools.greet, {"name": " Ada "}).text, "Hello, Ada!")

    def test_the_operator_says_how(self):
        with Host(settings={"greeting": "Salut"}):
            self.assertEqual(tools.greet("Ada"), "Salut, Ada!")

    def test_nobody_is_told_so_and_not_charged(self):
        with self.assertRaises(Failure) as failed:
            call(tools.greet, {"name": " "})
        self.assertEqual(failed.exception.kind, "invalid-arguments")


if __name__ == "__main__":
    unittest.main()
