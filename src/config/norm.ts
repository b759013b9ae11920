/** In which the distance to an image is measured. */
export type Norm = 'linf' | 'l2' | 'l1'
