"""The harness itself: what must fail does. `python3 -m unittest discover -s compat/tests -t compat`."""

import os
import select
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import run
from harness import catalogue, gaps, network, paths, results, summary, toolchains
from harness.gaps import Gap
from harness.results import Check, Result


class Verdicts(unittest.TestCase):
    def test_a_case_without_checks_has_failed(self):
        self.assertEqual(Result("a").verdict(), "failed")

    def test_one_failed_check_fails_the_case(self):
        self.assertEqual(Result("a", [Check("x", True), Check("y", False)]).verdict(), "failed")

    def test_a_crash_after_good_checks_fails_the_case(self):
        self.assertEqual(Result("a", [Check("x", True)], broken="exit 1").verdict(), "failed")

    def test_only_true_is_ok(self):
        self.assertFalse(results.read_output("a", '{"checks":[{"name":"x","ok":"yes"}]}')[0].ok)

    def test_the_same_name_twice_is_refused(self):
        with self.assertRaises(ValueError):
            results.read_output("a", '{"checks":[{"name":"x","ok":true},{"name":"x","ok":true}]}')

    def test_totals(self):
        done = [Result("a", [Check("x", True)]), Result("b", skipped="no tool"), Result("c")]
        self.assertEqual(summary.totals(done), "1 passed, 1 failed, 1 skipped")


class Gaps(unittest.TestCase):
    def judge(self, result: Result, check: str = "x") -> list[str]:
        return gaps.apply([Gap("a", check, "the client's")], [result], ["a"])

    def test_a_known_failure_passes_with_its_reason(self):
        result = Result("a", [Check("x", False, "boom")])
        self.assertEqual(self.judge(result), [])
        self.assertEqual((result.verdict(), result.checks[0].detail), ("passed", "known gap: the client's"))

    def test_a_gap_that_passes_fails_the_run(self):
        self.assertIn("passes now", self.judge(Result("a", [Check("x", True)]))[0])

    def test_a_gap_without_its_check_fails_the_run(self):
        self.assertIn("no such check", self.judge(Result("a", [Check("x", True)]), "y")[0])

    def test_a_gap_without_its_case_fails_the_run(self):
        self.assertIn("no such case", gaps.apply([Gap("b", "x", "r")], [], ["a"])[0])

    def test_a_skipped_case_isnt_judged(self):
        self.assertEqual(self.judge(Result("a", skipped="no tool")), [])

    def test_a_gap_without_a_reason_is_refused(self):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "known-gaps.toml")
            file.write_text('[[gap]]\ncase = "a"\ncheck = "x"\nreason = " "\n')
            with self.assertRaises(gaps.GapsError):
                gaps.load(file)

    def test_the_committed_file_can_be_read(self):
        names = {case.name for case in catalogue.load()}
        self.assertLessEqual({gap.case for gap in gaps.load()}, names)


class Guard(unittest.TestCase):
    """These run on the machine's own network, where the guard must refuse."""

    def test_the_machines_network_is_refused(self):
        with mock.patch.dict(os.environ, network.parent_environment()), self.assertRaises(network.NotIsolated):
            network.assert_isolated()

    def test_started_by_hand_is_refused(self):
        with mock.patch.dict(os.environ), self.assertRaises(network.NotIsolated):
            os.environ.pop(network.PARENT_VARIABLE, None)
            network.assert_isolated()

    def test_a_lie_about_the_parent_is_refused(self):
        lie = {network.PARENT_VARIABLE: "net:[1]"}
        with mock.patch.dict(os.environ, lie), self.assertRaises(network.NotIsolated):
            network.assert_isolated()


GUEST = """
import os, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from guest_network import GuestNetwork, NotIsolated, ip, links

ip("link", "set", "lo", "up")
ip("address", "add", "10.99.0.1/32", "dev", "lo")
guest = GuestNetwork(1, "10.99.1.1", "10.99.0.1")

def refused(what):
    try:
        guest.assert_isolated()
    except NotIsolated as why:
        print(f"refused: {why}", file=sys.stderr)
    else:
        sys.exit(f"not refused: {what}")

for spoil, mend in (
    (lambda: guest.run(["ip", "route", "add", "default", "dev", "eth0"]),
     lambda: guest.run(["ip", "route", "delete", "default"])),
    (lambda: guest.run(["ip", "link", "add", "more", "type", "veth"]), lambda: guest.run(["ip", "link", "delete", "more"])),
    (lambda: ip("link", "add", "more", "type", "bridge"), lambda: ip("link", "delete", "more")),
    (lambda: ip("route", "add", "192.0.2.0/24", "dev", "lo"), lambda: ip("route", "delete", "192.0.2.0/24")),
    (lambda: Path("/proc/sys/net/ipv4/ip_forward").write_text("1"),
     lambda: Path("/proc/sys/net/ipv4/ip_forward").write_text("0")),
):
    spoil()
    refused(spoil)
    mend()
    guest.assert_isolated()
guest.close()
assert links(ip("-o", "link")) == {"lo"}, "the link is still there"
"""


class GuestGuard(unittest.TestCase):
    def test_a_guest_that_reaches_more_than_its_host_is_refused(self):
        impossible = network.why_impossible()
        if impossible:
            self.skipTest(impossible)
        command = network.enter_command([sys.executable, "-B", "-c", GUEST, str(paths.LIB)])
        command[1:1] = ["--mount-proc"]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(ended.returncode, 0, ended.stderr)
        self.assertEqual(ended.stderr.count("refused: "), 5, ended.stderr)


class Namespace(unittest.TestCase):
    def test_nothing_outlives_it(self):
        impossible = network.why_impossible()
        if impossible:
            self.skipTest(impossible)
        watch, held = os.pipe()
        command = network.enter_command(["sh", "-c", "setsid sleep 300 & echo started; wait"])
        process = subprocess.Popen(command, stdout=subprocess.PIPE, pass_fds=(held,))
        os.close(held)
        self.assertEqual(process.stdout.readline(), b"started\n")
        self.assertEqual(select.select([watch], [], [], 0)[0], [], "the sleeper holds the other end")
        process.kill()
        process.wait()
        process.stdout.close()
        self.assertEqual(select.select([watch], [], [], 10)[0], [watch], "the sleeper is still there")
        os.close(watch)


class Catalogue(unittest.TestCase):
    def test_every_case_needs_known_toolchains(self):
        self.assertIn("python", toolchains.needed(catalogue.load()))

    def test_a_long_case_is_skipped_and_says_how_to_run_it(self):
        long = [case for case in catalogue.load() if case.long]
        self.assertTrue(long)
        with mock.patch.object(network, "why_impossible", return_value=None):
            done, installs = run.run(long, Path("symbolon"), long=False)
        self.assertEqual([result.skipped for result in done], [run.LONG] * len(long))
        self.assertEqual(installs, {})

    def test_a_missing_toolchain_says_what_to_install(self):
        with mock.patch.dict(os.environ, PATH="/nonexistent"), mock.patch("sys.stderr") as stderr:
            _, obstacles = run.install([case for case in catalogue.load() if case.needs == ("java",)])
        self.assertIn("java", obstacles)
        said = "".join(call.args[0] for call in stderr.write.call_args_list)
        self.assertIn("SKIPPED java: no java and no mvn on PATH; install a JDK 17", said)
        self.assertEqual(obstacles["java"]("a").verdict(), "skipped")

    def test_an_optional_toolchain_that_cannot_be_had_skips_and_another_fails(self):
        cases = [case for case in catalogue.load() if case.name in ("proxy-nginx", "go-azidentity")]
        failing = mock.Mock(side_effect=toolchains.InstallFailed("no network"))
        with (
            mock.patch.object(toolchains, "install", failing),
            mock.patch.object(toolchains, "missing_programs", return_value=[]),
            mock.patch("sys.stderr") as stderr,
        ):
            _, obstacles = run.install(cases)
        said = "".join(call.args[0] for call in stderr.write.call_args_list)
        self.assertIn("SKIPPED debian-proxies: it can't be had here: no network", said)
        verdicts = {name: obstacles[name]("a").verdict() for name in ("debian-proxies", "go")}
        self.assertEqual(verdicts, {"debian-proxies": "skipped", "go": "failed"})

    def test_a_whole_name_means_that_case_alone(self):
        chosen = catalogue.choose(catalogue.load(), ["az"])
        self.assertEqual([case.name for case in chosen], ["az"])
        self.assertGreater(len(catalogue.choose(catalogue.load(), ["node"])), 1)

    def test_an_unknown_name_is_an_error(self):
        with self.assertRaises(catalogue.CatalogueError):
            catalogue.choose(catalogue.load(), ["no-such-client"])

    def test_an_unknown_key_is_an_error(self):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "case.toml")
            file.write_text('describes = "x"\nrun = ["true"]\nretries = 3\n')
            with self.assertRaises(catalogue.CatalogueError):
                catalogue.read(file)


if __name__ == "__main__":
    unittest.main()
