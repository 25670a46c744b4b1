// SPDX-License-Identifier: BSD-3-Clause
/* The paths that headers had before: both styles of including compile, and mean the same. */
#include <twz/_fault.h>
#include <twz/_key.h>
#include <twz/_kso.h>
#include <twz/_obj.h>
#include <twz/_objid.h>
#include <twz/_queue.h>
#include <twz/_sctx.h>
#include <twz/_slots.h>
#include <twz/_sys.h>
#include <twz/_thrd.h>
#include <twz/_view.h>
#include <twz/bstream.h>
#include <twz/event.h>
#include <twz/fault.h>
#include <twz/hier.h>
#include <twz/io.h>
#include <twz/keyring.h>
#include <twz/objctl.h>
#include <twz/objid.h>
#include <twz/pty.h>
#include <twz/queue.h>
#include <twz/security.h>
#include <twz/sys.h>
#include <twz/sys/name.h>
#include <twz/sys/obj.h>
#include <twz/thread.h>
#include <twz/user.h>
#include <twz/view.h>

#include "ktap.h"
#include "testlib.h"

static void earlier_paths(void)
{
	objid_t id;
	twzobj view;

	CHECK(objid_parse("0123456789abcdef0123456789abcdef", 32, &id));
	twz_view_object_init(&view);
	CHECK(twz_object_guid(&view) != 0);
	CHECK(twz_thread_id() != 0);
	CHECK_EQ(bstream_hdr_size(4), sizeof(struct bstream_hdr) + 16);
	CHECK_EQ(event_poll(&(struct evhdr){ 0 }, ~0ull), 0);
	CHECK_EQ(sys_null(), 0);
}

static const struct ktap_case cases[] = {
	{ "earlier_paths", earlier_paths },
};

int main(void)
{
	return KTAP_RUN(cases);
}
