import {escapeControls, escapeLine} from '../text/escape-controls.ts';
import {fenced} from '../text/fence.ts';

/*
 * Others' words at a forge: there a name behind @ calls a person, a number behind # names an issue, "closes" with it
 * closes that, and a line that begins with / is a command. In a block of code nothing of it counts; but a title has no
 * blocks, and both may become the message of a commit, in which it counts again. So each of them is broken by a space,
 * which everybody sees.
 */

function broken(text: string): string {
	return (
		text
			.replaceAll(/@(?=[\p{L}\p{N}_[-])/gu, '@ ')
			.replaceAll(/([#!])(?=\d)/g, '$1 ')
			.replaceAll(/\b(gh-)(?=\d)/gi, '$1 ')
			// An address of an issue counts like its number.
			.replaceAll(/(\/(?:issues|pull|pulls|merge_requests|work_items|epics)\/)(?=\d)/gi, '$1 ')
			// What has a forge leave its checks out.
			.replaceAll(/\[(?=(?:skip|no|ci|actions)[ -](?:ci|skip|actions)\])/gi, '[ ')
			// Of what fleet finds its own part by.
			.replaceAll('<!--', '<! --')
			.replaceAll(/\b(skip-checks)(?=:)/gi, '$1 ')
			.replaceAll(/^(\s*)\/(?=[a-z])/gim, '$1/ ')
	);
}

/** One line, for a title: at most so many characters. */
export function neutralLine(text: string, longest: number): string {
	const line = broken(escapeLine(text.replaceAll(/\s+/g, ' ').trim()));
	return line.length > longest ? `${line.slice(0, longest - 1)}…` : line;
}

/** A text as a block of code that nothing in it can end. */
export function neutralBlock(text: string, longest: number): string {
	const whole = broken(escapeControls(text.replaceAll('\r\n', '\n')));
	return fenced(whole.length > longest ? `${whole.slice(0, longest)}\n[…]` : whole);
}
