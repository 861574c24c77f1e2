import {choice, flag, json, text, texts, type OptionValues} from '../verb.ts';

/** The options of `fleet project add`. */
export const addOptions = {
	as: text('NAME', 'for add: the project that this repository is, where it was moved, restored or cloned anew'),
	yes: flag(
		'for add: trust a policy that is there; without one, try what is proposed and commit what passes; ' +
			'for remove: do not ask',
	),
	try: choice(
		'for add: try what is proposed (where somebody can be asked, without it, too)',
		'only show what is proposed',
	),
	network: texts('HOST', 'for add: a host more that setup may ask; may be given more than once'),
	json,
};

export type AddOptions = OptionValues<typeof addOptions>;
