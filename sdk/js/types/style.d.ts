/** The looks, once for each root. @param {ShadowRoot} root @param {string} [more] */
export function dress(root: ShadowRoot, more?: string): void;
/** Black or white, whichever has more contrast on a colour (WCAG 2). @param {string} color `#rrggbb` */
export function ink(color: string): "#000" | "#fff";
/** The client's colour, with writing on it that can be read. @param {ShadowRoot} root @param {any} color */
export function paint(root: ShadowRoot, color: any): void;
