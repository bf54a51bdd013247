/** x[i] += y[i], f32, n a multiple of 4. Twin: reference/add_f32.ts. Checked in: src/central. */
export function add_f32(x: usize, y: usize, n: i32): void {
  for (const end = x + (<usize>n << 2); x < end; x += 16) {
    v128.store(x, f32x4.add(v128.load(x), v128.load(y)));
    y += 16;
  }
}
