/** How a log is moved in: by rows, or to a place; a position is a byte of it. */
export type LogMove = {readonly to: 'start' | 'end' | 'same'} | {readonly by: number} | {readonly position: number};
