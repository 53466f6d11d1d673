/* zclock: clocks and delays in milliseconds */

void zclock_sleep (int msecs);
int64_t zclock_time (void);
int64_t zclock_mono (void);
int64_t zclock_usecs (void);
char *zclock_timestr (void);
void zclock_test (bool verbose);
void zclock_log (const char *format, ...);
