#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Turns a YAML file into compact JSON: yaml2json.py INPUT OUTPUT"""
import json
import sys

import yaml


class Loader(yaml.SafeLoader):
    """YAML without surprises: a key that comes twice is an error."""

    def construct_mapping(self, node, deep=False):
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                raise yaml.YAMLError(f"{node.start_mark}: the key {key!r} comes twice")
        return super().construct_mapping(node, deep)


def main():
    with open(sys.argv[1], encoding="utf-8") as source:
        document = yaml.load(source, Loader)
    with open(sys.argv[2], "w", encoding="utf-8") as target:
        json.dump(document, target, ensure_ascii=False, separators=(",", ":"))


main()
