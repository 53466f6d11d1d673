/* zmonitor: the actor that reports a socket's events */

void zmonitor (zsock_t *pipe, void *sock);
void zmonitor_test (bool verbose);
