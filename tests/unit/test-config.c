/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-config.h"
#include "nest-rights.h"
#include "nest-test.h"
#include <glib/gstdio.h>
#include <string.h>

static NestConfig *load(const char *text, GError **error)
{
    g_autofree char *path = NULL;
    int fd = g_file_open_tmp("nestd-XXXXXX.conf", &path, NULL);
    assert_true(fd >= 0);
    g_close(fd, NULL);
    assert_true(g_file_set_contents(path, text, -1, NULL));
    NestConfig *config = nest_config_load(path, error);
    g_unlink(path);
    return config;
}

static void test_defaults(void **state)
{
    g_autoptr(GError) error = NULL;
    g_setenv("RUNTIME_DIRECTORY", "/run/x:/run/y", TRUE);
    g_autoptr(NestConfig) config = load("", &error);
    g_unsetenv("RUNTIME_DIRECTORY");
    assert_no_error(error);
    assert_string_equal(config->socket, "/run/x/nestd.sock");
    assert_string_equal(config->state_directory, "/var/lib/nestd");
    assert_string_equal(config->backend_uri, "auto");
    assert_int_equal(config->connections, 256);
    assert_int_equal(config->connections_per_user, 32);
    assert_string_equal(config->manage[0], "group:nestd");
}

static void test_values(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(NestConfig) config = load("# words\n[daemon]\nsocket = /tmp/s\n[limits]\n"
                                        "connections=17\n[rights]\nview=user:a; group:b;\n",
        &error);
    assert_no_error(error);
    assert_string_equal(config->socket, "/tmp/s");
    assert_int_equal(config->connections, 17);
    assert_int_equal(g_strv_length(config->view), 2);
    assert_string_equal(config->view[1], "group:b");
}

static void test_wrong_lines_are_named(void **state)
{
    static const struct {
        const char *text, *says;
    } rows[] = {
        {"[daemon]\n\nsokket=/x\n", ":3: unknown key \"sokket\" in [daemon]"},
        {"[limits]\nconnections=3\n", ":2: \"connections\" must be a number from 4 to 4096"},
        {"[limits]\noperations=many\n", ":2: \"operations\" must be a number"},
        {"[daemon]\nsocket=/s\n[demon]\nsocket=/x\n", ":3: unknown group [demon]"},
        {"[daemon]\nsocket=rel\n", "absolute path"},
        {"[policy]\ntrust-default=maybe\n", ":2: \"trust-default\" must be one of trusted, un"},
        {"[policy]\nadvisories=rel\n", "advisories must be an absolute path"},
        {"nonsense\n", "nestd-"},
        {"[levels]\nvm.mem.mni=info\n", ":2: there is no check \"vm.mem.mni\""},
        {"[levels]\nvm.mem.min=pass\n", ":2: the level of vm.mem.min must be info, warn or fail"},
        {"[levels]\n\nguard.save=info\n", ":3: there is no check \"guard.save\""},
        {"[ignore]\nvm.mem.min=x\n", ":2: unknown group [ignore]"},
        {"[ignore vm ]\nvm.mem.min=x\n", ":2: unknown group [ignore vm ]"},
        {"[ignore host]\nvm.mem.min=x\n", ":2: vm.mem.min is no check of the host"},
        {"[ignore vm a]\nhost.swap=x\n", ":2: host.swap is no check of VMs"},
        {"[ignore vm a]\nvm.mem.min=\n", ":2: say why vm.mem.min is ignored"},
        {"[ignore vm a]\nvm.mem.min=; until 2027-01-31\n", ":2: say why vm.mem.min is ignored"},
        {"[ignore vm a]\nvm.mem.min=x; until 2027-02-30\n", ":2: \"2027-02-30\" is no day"},
        {"[ignore vm a]\nvm.mem.min=x; until soon\n", ":2: \"soon\" is no day"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        assert_null(load(rows[i].text, &error));
        assert_nest_error(error, NEST_ERROR_CONFIG, rows[i].says);
    }
}

static void test_missing_file(void **state)
{
    g_autoptr(GError) error = NULL;
    assert_null(nest_config_load("/nonexistent/nestd.conf", &error));
    assert_nest_error(error, NEST_ERROR_CONFIG, "/nonexistent/nestd.conf");
}

static void test_description_loads(void **state)
{
    g_autofree char *text = nest_config_describe();
    g_auto(GStrv) parts = g_strsplit(text, "\n#", -1);
    g_autofree char *enabled = g_strjoinv("\n", parts);
    g_autoptr(GError) error = NULL;
    g_autoptr(NestConfig) config = load(enabled, &error);
    assert_no_error(error);
    assert_int_equal(config->reply_timeout, 30);
    assert_int_equal(config->parity, NEST_PARITY_HYPERV);
    assert_int_equal(config->sample, 5);
    assert_int_equal(config->monitor, NEST_SWITCH_NO);
}

static void test_rights(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(NestConfig) config = load(
        "[rights]\nview=user:nobody\noperate=user:4242\nmanage=\nadmin=group:nogroup\n", &error);
    assert_no_error(error);
    assert_int_equal(nest_rights_of(config, 0, 0), NEST_RIGHT_ADMIN);
    assert_int_equal(nest_rights_of(config, 4242, 4242), NEST_RIGHT_OPERATE);
    assert_int_equal(nest_rights_of(config, 4243, 4243), NEST_RIGHT_NONE);
    assert_int_equal(nest_rights_of(config, 4294967294u, 0), NEST_RIGHT_NONE);
    /* nobody's primary group gives it more than its name does */
    assert_int_equal(nest_rights_of(config, 65534, 65534), NEST_RIGHT_ADMIN);
}

static void test_judgements(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(NestConfig) config =
        load("[levels]\nvm.snap.any = info\n[ignore host]\nhost.swap=it is encrypted\n"
             "[ignore vm zwei W\xc3\xb6rter]\nwin.vbs=wanted; until 2027-01-31\n"
             "[policy]\nallow=web*; db1\n",
            &error);
    assert_no_error(error);
    assert_true(nest_policy_allows(config->policy, "web7"));
    assert_true(nest_policy_allows(config->policy, "db1"));
    assert_false(nest_policy_allows(config->policy, "db2"));
    assert_string_equal(nest_policy_allow_text(config->policy), "web*, db1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_wrong_lines_are_named),
        cmocka_unit_test(test_missing_file),
        cmocka_unit_test(test_judgements),
        cmocka_unit_test(test_description_loads),
        cmocka_unit_test(test_rights),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
