// Rotations in the convention of the labels: extrinsic x, y, z angles, R = Rz Ry Rx (docs/labels.md).

/** The 3 x 3 matrix of a label's rotation angles. */
export function matrixFromFactors(factors) {
  const [a, b, c] = ["x", "y", "z"].map((axis) => factors[`rotation_${axis}_rad`] ?? 0);
  const [sa, ca, sb, cb, sc, cc] = [a, b, c].flatMap((angle) => [Math.sin(angle), Math.cos(angle)]);
  return [
    [cc * cb, cc * sb * sa - sc * ca, cc * sb * ca + sc * sa],
    [sc * cb, sc * sb * sa + cc * ca, sc * sb * ca - cc * sa],
    [-sb, cb * sa, cb * ca],
  ];
}

/** The rotation angles of a matrix, each in the range of the labels. */
export function factorsFromMatrix(m) {
  const cosY = Math.hypot(m[2][1], m[2][2]);
  // At y = ±90° (gimbal lock) only the sum or difference of x and z is defined, so x is 0 there.
  const regular = cosY > 1e-9;
  return {
    rotation_x_rad: regular ? Math.atan2(m[2][1], m[2][2]) : 0,
    rotation_y_rad: Math.atan2(-m[2][0], cosY),
    rotation_z_rad: regular ? Math.atan2(m[1][0], m[0][0]) : Math.atan2(-m[0][1], m[1][1]),
  };
}

/** The product of two matrices. */
export function multiply(first, second) {
  return first.map((row) => [0, 1, 2].map((j) => row[0] * second[0][j] + row[1] * second[1][j] + row[2] * second[2][j]));
}

/** The matrix of a rotation about a world axis: 0 for x, 1 for y, 2 for z. */
export function rotationAbout(axis, angle) {
  const names = ["rotation_x_rad", "rotation_y_rad", "rotation_z_rad"];
  return matrixFromFactors({ [names[axis]]: angle });
}

/** The angle between two rotations in radians. */
export function angleBetween(first, second) {
  let trace = 0;
  for (let i = 0; i < 3; i++) for (let j = 0; j < 3; j++) trace += first[i][j] * second[i][j];
  return Math.acos(Math.min(1, Math.max(-1, (trace - 1) / 2)));
}
