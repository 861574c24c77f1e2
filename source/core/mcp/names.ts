/** What a server may be called. Apart from its definition, whose schema no first frame needs. */
export const serverName = /^[a-z0-9][a-z0-9-]{0,40}$/;
