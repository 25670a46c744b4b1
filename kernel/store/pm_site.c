// SPDX-License-Identifier: BSD-3-Clause
/*
 * Names of the flush and fence sites, for reports of the crash explorer.
 */
#include <store/pm.h>

static const char *const names[PM_SITES] = {
	[PM_FORMAT_BEGIN_FLUSH] = "format begin flush",
	[PM_FORMAT_BEGIN_FENCE] = "format begin fence",
	[PM_FORMAT_BODY_FLUSH] = "format body flush",
	[PM_FORMAT_BODY_FENCE] = "format body fence",
	[PM_FORMAT_END_FLUSH] = "format end flush",
	[PM_FORMAT_END_FENCE] = "format end fence",
	[PM_FRESH_FLUSH] = "fresh page flush",
	[PM_FRESH_FENCE] = "fresh page fence",
	[PM_LOG_FLUSH] = "log flush",
	[PM_LOG_FENCE] = "log fence",
	[PM_APPLY_FLUSH] = "apply flush",
	[PM_APPLY_FENCE] = "apply fence",
	[PM_REPLAY_FLUSH] = "replay flush",
	[PM_REPLAY_FENCE] = "replay fence",
};

const char *pm_site_name(enum pm_site site)
{
	return (unsigned)site < PM_SITES ? names[site] : "?";
}
