#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Each rule of lint.py strikes where it should, and only there."""

import pathlib
import shutil
import tempfile
import unittest

import lint

SPDX = "/* SPDX-License-Identifier: LGPL-2.1-or-later */\n"


def body(lines):
    return "void nest_a_b(void)\n{\n" + "    x();\n" * lines + "}\n"


# rule, {file: text}, how many violations
CASES = [
    (lint.functions_are_short, {"lib/nest-a.c": SPDX + body(58)}, 2),
    (lint.functions_are_short, {"lib/nest-a.c": SPDX + body(42)}, 0),
    (lint.functions_are_short, {"lib/nest-a.c": SPDX + body(43)}, 1),
    (lint.nesting_is_shallow,
     {"lib/nest-a.c": "int f(void)\n{\n            if (x)\n                if (y)\n}\n"}, 1),
    (lint.files_are_short, {"lib/nest-a.h": "x\n" * 501, "lib/nest-b.h": "x\n" * 500}, 1),
    (lint.names_follow_the_file, {"lib/nest-a.c": "int nest_b_c(void)\n{\n}\n"}, 1),
    (lint.names_follow_the_file, {"lib/nest-a.c": "static int b(void)\n{\n}\n" + body(1)}, 0),
    (lint.names_follow_the_file,
     {"lib/nest-a-b.c": "int nest_a_c(void)\n{\n}\nint nest_ab(void)\n{\n}\n"}, 1),
    (lint.names_follow_the_file,
     {"lib/nest-a.c": "G_GNUC_PRINTF(1, 2)\nvoid nest_a_say(const char *f, ...)\n{\n}\n"}, 0),
    (lint.system_headers_stay_private,
     {"cli/nest-a.c": "#include <sqlite3.h>\n", "daemon/store/nest-b.c": "#include <sqlite3.h>\n",
      "tests/unit/test-c.c": "#include <sqlite3.h>\n"}, 1),
    (lint.folders_include_only_below,
     {"lib/nest-a.h": "", "daemon/core/nest-b.h": "#include \"nest-a.h\"\n",
      "lib/nest-c.h": "#include \"nest-b.h\"\n"}, 1),
    (lint.folders_include_only_below,
     {"hypervisor-backend/nest-backend-libvirt.h": "", "hypervisor-backend/nest-backend.h": "",
      "daemon/core/nest-a.c":
      "#include \"nest-backend-libvirt.h\"\n#include \"nest-backend.h\"\n"}, 1),
    (lint.licence_comes_first, {"a.py": "#!/usr/bin/python3\n# " + SPDX, "b.c": "\n\n" + SPDX}, 1),
    (lint.nothing_banned, {"lib/nest-a.c": "goto out;\n/* goto */ x(\"goto\");\n"}, 1),
    (lint.nothing_banned, {"lib/nest-a.c": "g_warning(x);\n", "cli/a.c": "g_print(x);\n"}, 1),
    (lint.nothing_left_to_do, {"a.md": "TO" "DO\n", "b.md": "mastodon\n"}, 1),
    (lint.no_trailing_whitespace, {"a.md": "x \n", "b.md": "x"}, 2),
    (lint.every_source_is_built,
     {"lib/meson.build": "['nest-a.c']", "lib/nest-a.c": "", "lib/nest-b.c": "",
      "tests/unit/test-x.c": "", "tests/unit/meson.build": "['x', [lib_dep]]"}, 1),
    (lint.links_resolve, {"docs" "/a.md": "[b](b.md) [c](c.md#x) [w](https://example.org)\n",
                          "docs" "/b.md": "see docs" "/a.md\n"}, 1),
    (lint.decisions_are_numbered,
     {"docs" "/decisions/0001-a.md": "# 1. A\n", "docs" "/decisions/0001-b.md": "# 1. B\n",
      "docs" "/decisions/0003-c.md": "# 2. C\n"}, 2),
    (lint.no_private_paths, {"a.md": "/home/" "someone/x\n", "b.md": "/home/USER\n"}, 1),
]


class TestRules(unittest.TestCase):
    def count(self, rule, files):
        with tempfile.TemporaryDirectory() as root:
            for name, text in files.items():
                path = pathlib.Path(root, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
            return len(list(rule(lint.Tree(root))))

    def test_rules(self):
        for number, (rule, files, expected) in enumerate(CASES):
            with self.subTest(rule=rule.__name__, number=number):
                self.assertEqual(self.count(rule, files), expected)

    @unittest.skipUnless(shutil.which("shellcheck"), "no shellcheck")
    def test_shell(self):
        files = {"a": "#!/bin/sh\necho $1\n", "b": "#!/bin/sh\necho \"$1\"\n"}
        self.assertEqual(self.count(lint.shell_is_clean, files), 1)

    @unittest.skipUnless(shutil.which("clang-format"), "no clang-format")
    def test_layout(self):
        files = {"a.c": "int  a;\n", "b.c": "int a;\n"}
        self.assertEqual(self.count(lint.layout_is_clang_format, files), 1)

    def test_every_rule_is_tested(self):
        tested = {rule for rule, _, _ in CASES}
        tested |= {lint.shell_is_clean, lint.layout_is_clang_format}
        self.assertEqual(tested, set(lint.RULES))


if __name__ == "__main__":
    unittest.main()
