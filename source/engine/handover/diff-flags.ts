/** A diff as it is, and nothing run for it. */
export const diffFlags = [
	'--no-ext-diff',
	'--no-textconv',
	'--submodule=short',
	'--ignore-submodules=dirty',
	'--no-color',
	'--find-renames',
];
