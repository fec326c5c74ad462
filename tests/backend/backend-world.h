/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-backend-libvirt.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>

/* What the tests of the libvirt backend share: directories, a guest, child processes. The
 * embedded driver serves one root per process, for ever, so every scene plays in a process of its
 * own: this program again, with the scene's name and arguments. */

/* In a scene: ends the process with a message unless condition holds. */
#define must(condition) \
    do { \
        if (!(condition)) { \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
            exit(1); \
        } \
    } while (0)

/* The same for what reports a GError in a variable called error. */
#define must_do(call) \
    do { \
        if (!(call)) { \
            fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, #call, error->message); \
            exit(1); \
        } \
    } while (0)

/* Expects call to fail with code; clears error. */
#define must_fail(call, code) \
    do { \
        if (call) { \
            fprintf(stderr, "%s:%d: %s succeeded\n", __FILE__, __LINE__, #call); \
            exit(1); \
        } \
        if (nest_error_code(error) != (code)) { \
            fprintf(stderr, "%s:%d: %s: %s: %s\n", __FILE__, __LINE__, #call, \
                nest_error_kind(nest_error_code(error)), error->message); \
            exit(1); \
        } \
        g_clear_error(&error); \
    } while (0)

#define VM_UUID "6e657374-0000-4000-8000-000000000001"

typedef struct {
    const char *name;
    const char *uuid;
    const char *cpu; /* XML */
    const char *dir; /* of its disk and its serial.log */
    gboolean powers_off; /* two seconds after it booted, without being asked */
} Guest;

/* A guest of 64 MiB with QEMU's software CPU. It writes R to its serial port when it runs, and X
 * before it powers off, which it does when the power button is pressed. Writes its disk. */
char *guest_xml(const Guest *guest);

/* Waits until the guest has written what. */
gboolean guest_wrote(const char *dir, const char *what);

/* A new directory with a short path. */
char *world_directory(void);

/* Private mounts, so that nothing here touches the machine's own libvirt, and the accounts that
 * libvirt demands. NULL, or why the tests cannot run. */
const char *world_enter(void);

/* Ends the QEMUs of a root that a failed test left, and removes the directory. */
void world_remove(const char *dir);

/* backend-boot.c: of root argv[0]. */
void scene_boot(char **argv);
void scene_boot_left(char **argv);
void scene_boot_found(char **argv);

typedef struct {
    GPid pid;
    int out;
} Child;

/* Starts this program with the arguments (NULL-terminated). */
Child child_start(const char *scene, ...) G_GNUC_NULL_TERMINATED;

/* Starts any program. It does not outlive this one. */
Child child_spawn(const char *const *argv);

/* Waits for one line from the child that begins with what; the rest of it, or NULL if the child
 * ended or was silent for a minute. */
char *child_line(Child *child, const char *what);

/* TRUE if the child ends by itself, well, within two minutes. */
gboolean child_good(Child *child);

/* Kills it and waits for its end. */
void child_kill(Child *child);

/* Starts the scene, and waits for it. */
#define run_scene(...) \
    do { \
        Child child_ = child_start(__VA_ARGS__, NULL); \
        assert_true(child_good(&child_)); \
    } while (0)

/* With a libvirtd of our own, in backend-system.c. */
void scene_system(char **argv);

/* Plays the scene argv[1]. */
int scene_main(int argc, char **argv);

/* What a scene has heard from the backend. */
typedef struct {
    GMutex lock;
    GCond cond;
    GPtrArray *heard; /* "changed UUID" */
} Ear;

void ear_attach(Ear *ear, NestBackend *backend);

/* Waits for what, up to a deadline, and forgets what came before it. */
gboolean ear_hears(Ear *ear, const char *what);
