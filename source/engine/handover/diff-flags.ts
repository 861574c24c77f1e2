/** A diff as it is, and nothing run for it. */
const plain = ['--no-ext-diff', '--no-textconv', '--submodule=short', '--ignore-submodules=dirty', '--no-color'];

/**
 * How a change is searched for secrets. What is found there is waived by name, so this is git's own way, and has no part
 * in how a change is shown.
 */
export const searchFlags = [...plain, '--find-renames'];

/**
 * Of two files, how much is the same for one to be the other with a new name, and how many are compared. The limit is
 * given, or a person's own configuration would decide in one repository and not in the other.
 */
export const renameFlags = ['--find-renames=40%', '-l500'];

/**
 * How a change is shown and counted: the list, the review and the approval then say the same number of files. What is
 * approved is bound to commits and trees, and does not depend on it.
 */
export const diffFlags = [...plain, ...renameFlags];
