/** A repository whose runs fleet manages. `root` is the folder the person added (a checkout, or a bare repository). */
export type Project = {readonly id: string; readonly name: string; readonly root: string; readonly addedAt: string};
