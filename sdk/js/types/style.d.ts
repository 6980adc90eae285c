/** The client's colour, with writing on it that can be read. @param {ShadowRoot} root @param {string | null} color */
export function paint(root: ShadowRoot, color: string | null): void;
export function dress(root: ShadowRoot): void;
