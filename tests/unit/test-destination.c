/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-destination.h"
#include "nest-error.h"
#include "nest-test.h"
#include <string.h>

static void test_good(void **state)
{
    static const char *const uris[] = {
        "qemu+ssh://other/system",
        "qemu+ssh://root@other.example.org:2222/system",
        "qemu+ssh://other/system?keyfile=/etc/nestd/key&known_hosts=/etc/nestd/hosts&no_tty=1",
        "qemu+libssh2://other/system?sshauth=privkey",
        "qemu+tls://[2001:db8::1]:16514/system",
        "qemu+tcp://192.0.2.7/system?mode=legacy",
        "qemu+unix:///system?socket=/run/other/libvirt-sock",
    };
    for (guint i = 0; i < G_N_ELEMENTS(uris); i++) {
        g_autoptr(GError) error = NULL;
        nest_destination_check(uris[i], &error);
        assert_no_error(error);
    }
}

static void test_bad(void **state)
{
    static const struct {
        const char *uri, *why;
    } rows[] = {
        {"", "reached over"},
        {"other", "reached over"},
        {"qemu:///system", "reached over"},
        {"qemu://other/system", "reached over"},
        {"qemu+ext://other/system?command=/bin/sh", "reached over"},
        {"xen+ssh://other/system", "reached over"},
        {"test:///default", "reached over"},
        {"qemu+ssh://other/session", "end with /system"},
        {"qemu+ssh://other/system/x", "end with /system"},
        {"qemu+ssh://other", "end with /system"},
        {"qemu+ssh:///system", "names no host"},
        {"qemu+unix://other/system?socket=/run/x", "takes no host"},
        {"qemu+unix:///system", "of this host"},
        {"qemu+ssh://-oProxyCommand=x/system", "don't belong"},
        {"qemu+ssh://-l@other/system", "a user with"},
        {"qemu+ssh://root:secret@other/system", "a user with"},
        {"qemu+ssh://-other/system", "a host with"},
        {"qemu+ssh://other/system?command=/bin/sh", "does not pass on"},
        {"qemu+ssh://other/system?netcat=/bin/sh", "does not pass on"},
        {"qemu+ssh://other/system?proxy=netcat", "does not pass on"},
        {"qemu+ssh://other/system?no_verify=1", "does not pass on"},
        {"qemu+ssh://other/system?keyfile=/k&netcat=x", "does not pass on"},
        {"qemu+ssh://other/system?keyfile", "does not pass on"},
        {"qemu+ssh://other/system?keyfile=-x", "a parameter of"},
        {"qemu+ssh://other/system?keyfile=", "a parameter of"},
        {"qemu+ssh://other/system?keyfile=a?b", "a parameter of"},
        {"qemu+ssh://other/system#x", "its address has characters"},
        {"qemu+ssh://other/system?socket=%2Frun", "its address has characters"},
        {"qemu+ssh://$(reboot)/system", "its address has characters"},
        {"qemu+ssh://other;reboot/system", "its address has characters"},
        {"qemu+ssh://other/system\n", "its address has characters"},
        {"qemu+ssh://\xc3\xb6ther/system", "its address has characters"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        if (nest_destination_check(rows[i].uri, &error))
            fail_msg("%s was taken", rows[i].uri);
        assert_nest_error(error, NEST_ERROR_INVALID_REQUEST, "can't be migrated there");
        if (strstr(error->message, rows[i].why) == NULL)
            fail_msg("%s: %s", rows[i].uri, error->message);
    }
}

static void test_long(void **state)
{
    g_autofree char *host = g_strnfill(600, 'a');
    g_autofree char *uri = g_strconcat("qemu+ssh://", host, "/system", NULL);
    g_autoptr(GError) error = NULL;
    assert_false(nest_destination_check(uri, &error));
    assert_nest_error(error, NEST_ERROR_INVALID_REQUEST, "too long");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_bad),
        cmocka_unit_test(test_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
