import * as v from 'valibot';

/* What a policy says of a forge, where main lives on one. */

const remote = v.pipe(
	v.string('a remote is named as git names it, such as origin'),
	v.regex(/^[A-Za-z0-9_][\w.-]{0,60}$/, 'a remote is named as git names it, such as origin'),
);

const login = v.pipe(
	v.string('a person is named by the login at the forge'),
	v.regex(/^[A-Za-z0-9][\w.-]{0,99}(?:\[bot\])?$/, 'a person is named by the login at the forge, without @'),
);

export const publishSchema = v.strictObject({
	remote: v.optional(remote, 'origin'),
	/** Undefined: by the host's name. */
	forge: v.optional(v.picklist(['github', 'gitlab'], 'github or gitlab')),
	when: v.optional(v.picklist(['verified', 'approved'], 'verified or approved'), 'verified'),
	/** Undefined: as long as it is not approved. */
	draft: v.optional(v.boolean('true or false; without it, a draft as long as it is not approved')),
	/** Undefined: whom the forge says to be of the project. */
	from: v.optional(v.array(login)),
});

/** Where a project's results are published, when, and whose words of there go back to an agent. */
export type PublishPolicy = v.InferOutput<typeof publishSchema>;

export const usualPublish: PublishPolicy = {remote: 'origin', when: 'verified'};
