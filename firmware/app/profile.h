/* Marks around one inference, so that any profiler can find it. */
#ifndef TINYFLOW_APP_PROFILE_H
#define TINYFLOW_APP_PROFILE_H

void tinyflow_profile_begin(void);
void tinyflow_profile_end(void);

#endif
