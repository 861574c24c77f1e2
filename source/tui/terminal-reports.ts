import type {Message} from './state.ts';

/*
 * What a terminal sends that is no key: where the mouse is, whether it is looked at, and the answer
 * to what was asked. Ink drops the one and would take the other for keys.
 */

type Mouse = Message & {readonly type: 'mouse'};

function mouseKind(code: number, end: string): Mouse['kind'] | undefined {
	switch (code) {
		case 0: {
			return end === 'M' ? 'press' : undefined;
		}

		case 32: {
			return 'drag';
		}

		case 64: {
			return 'up';
		}

		case 65: {
			return 'down';
		}

		default: {
			return undefined;
		}
	}
}

/** A report of the mouse in SGR form; undefined for one that is not of interest. */
function mouseOf(
	code: number,
	end: string,
	{column, row}: {readonly column: number; readonly row: number},
): Mouse | undefined {
	const kind = mouseKind(code, end);
	return kind && {type: 'mouse', kind, column: column - 1, row: row - 1};
}

/** Whether a background is a light one, by its red, green and blue as hexadecimal fractions. */
function isLight(parts: readonly string[]): boolean {
	const [red, green, blue] = parts.map(part => Number.parseInt(part, 16) / (16 ** part.length - 1)) as [
		number,
		number,
		number,
	];
	return 0.299 * red + 0.587 * green + 0.114 * blue > 0.5;
}

const whole =
	/\u001B\[<(\d+);(\d+);(\d+)([Mm])|\u001B\]11;rgba?:([\da-f]{1,4})\/([\da-f]{1,4})\/([\da-f]{1,4})[^\u0007\u001B]*(?:\u0007|\u001B\\)/gi;

/** Not without regard to case, as the other two: in small letters they would be something else. */
const focusReport = /\u001B\[([IO])/g;
const begun = /\u001B(?:\[<[\d;]*|\]1?1?;?[^\u0007\u001B]{0,60}\u001B?)$/;

/** Takes the reports out of what a terminal sends; one may come in two pieces. */
export class TerminalReports {
	#rest = '';

	/** @returns what is left, for who reads keys */
	take(text: string): {readonly keys: string; readonly messages: readonly Message[]} {
		const messages: Message[] = [];
		const keys = (this.#rest + text).replaceAll(
			whole,
			// oxlint-disable-next-line max-params -- replaceAll gives each group as an argument
			(_, code?: string, column?: string, row?: string, end?: string, red?: string, green?: string, blue?: string) => {
				if (code !== undefined) {
					const mouse = mouseOf(Number(code), end!, {column: Number(column), row: Number(row)});
					if (mouse) {
						messages.push(mouse);
					}
				} else {
					messages.push({type: 'theme', theme: isLight([red!, green!, blue!]) ? 'light' : 'dark'});
				}

				return '';
			},
		);
		const others = keys.replaceAll(focusReport, (_, letter: string) => {
			messages.push({type: 'focus', isFocused: letter === 'I'});
			return '';
		});
		const open = begun.exec(others);
		this.#rest = open?.[0] ?? '';
		return {keys: open ? others.slice(0, open.index) : others, messages};
	}
}
