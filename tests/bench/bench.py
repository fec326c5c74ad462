# SPDX-License-Identifier: LGPL-2.1-or-later
"""Measures nestd beside what people use without it; started by tests/bench/run."""

import argparse
import time

import peer
import topics


def parse():
    parser = argparse.ArgumentParser(
        prog="tests/bench/run", description="Measures nestd beside what people use without it.",
        epilog="\n".join(f"  {name:8} {what}" for name, what in topics.TOPICS.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true",
                        help="fewer rounds, and no 10,000 VMs: under two minutes")
    parser.add_argument("topics", metavar="TOPIC", nargs="*", help="all unless some are named")
    arguments = parser.parse_args()
    unknown = set(arguments.topics) - set(topics.TOPICS)
    if unknown:
        parser.error(f"there is no topic {', '.join(sorted(unknown))}")
    return arguments


def main():
    arguments = parse()
    wanted = arguments.topics or list(topics.TOPICS)
    began = time.monotonic()
    print("# " + topics.environment())
    print("\nContenders take turns in one run. A tie is a median within a tenth of the other.")
    with peer.Worlds() as worlds:
        if set(wanted) & set(topics.GROWTH):
            topics.growth(worlds, arguments.quick, wanted)
        for name in wanted:
            if name in topics.FUNCTIONS:
                topics.FUNCTIONS[name](worlds, arguments.quick)
    print(f"\n{time.monotonic() - began:.0f} s in all.")


if __name__ == "__main__":
    main()
