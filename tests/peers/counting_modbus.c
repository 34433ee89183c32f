/* A Modbus TCP server on libmodbus that counts: counting_modbus LIFE EVERY_MS
 *
 * Holding registers: 0 light, 1-2 good, 3-4 serial, 5-6 check, high word first; good counts from 0, serial is
 * LIFE * 1000000 + good, check is a hash of serial. Prints its port. Words on standard input: `bad N` answers with
 * exception N, `well` ends that, `halt` stops counting and prints good. Ends with standard input.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <modbus/modbus.h>

#define MOST 64

static long now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void put(uint16_t *at, uint32_t value) {
    at[0] = value >> 16;
    at[1] = value & 0xffff;
}

int main(int count, char **word) {
    if (count != 3) return 2;
    uint32_t life = strtoul(word[1], NULL, 10), halted = 0;
    long every = atol(word[2]), began = now_ms();
    int bad = 0, is_halted = 0, open = 2;
    char line[64];
    modbus_t *bus = modbus_new_tcp("127.0.0.1", 0);
    modbus_mapping_t *held = modbus_mapping_new(0, 0, 7, 0);
    struct pollfd ends[MOST] = {{.fd = 0, .events = POLLIN}, {.events = POLLIN}};
    struct sockaddr_in address;
    socklen_t size = sizeof address;
    ends[1].fd = modbus_tcp_listen(bus, 8);
    if (held == NULL || ends[1].fd < 0 || getsockname(ends[1].fd, (struct sockaddr *) &address, &size)) return 1;
    modbus_set_indication_timeout(bus, 1, 0);
    setvbuf(stdin, NULL, _IONBF, 0);
    printf("{\"port\": %d}\n", ntohs(address.sin_port));
    fflush(stdout);
    for (;;) {
        if (poll(ends, open, -1) < 0) return 1;
        uint32_t good = is_halted ? halted : (uint32_t) ((now_ms() - began) / every);
        if (ends[0].revents) {
            if (fgets(line, sizeof line, stdin) == NULL) return 0;
            if (strncmp(line, "bad ", 4) == 0) bad = atoi(line + 4);
            if (strcmp(line, "well\n") == 0) bad = 0;
            if (strcmp(line, "halt\n") == 0) {
                is_halted = 1;
                halted = good;
                printf("{\"good\": %u}\n", good);
                fflush(stdout);
            }
        }
        for (int n = open - 1; n > 1; n--) {
            if (!ends[n].revents) continue;
            uint8_t query[MODBUS_TCP_MAX_ADU_LENGTH];
            modbus_set_socket(bus, ends[n].fd);
            int length = modbus_receive(bus, query);
            if (length > 0) {
                uint32_t serial = life * 1000000 + good;
                held->tab_registers[0] = 4;
                put(held->tab_registers + 1, good);
                put(held->tab_registers + 3, serial);
                put(held->tab_registers + 5, serial * 2654435761u);
                length = bad ? modbus_reply_exception(bus, query, bad) : modbus_reply(bus, query, length, held);
            }
            if (length < 0) {
                close(ends[n].fd);
                ends[n] = ends[--open];
            }
        }
        if (ends[1].revents) {
            int one = accept(ends[1].fd, NULL, NULL);
            if (one >= 0 && open == MOST) close(one);
            else if (one >= 0) ends[open++] = (struct pollfd) {.fd = one, .events = POLLIN};
        }
    }
}
