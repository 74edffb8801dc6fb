"""A picture in SVG: shapes and text on a light card of its own, so that it reads on a light and on a dark page."""
from xml.sax.saxutils import escape

INK, FAINT, GRID, CARD = "#1f2328", "#59636e", "#e4e8ec", "#ffffff"


class Picture:
    """Collects shapes; positions are pixels from the top left."""

    def __init__(self, width, height):
        self.width, self.height, self.parts = width, height, []

    def line(self, points, color, width=1.0, dash=""):
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        dashed = f' stroke-dasharray="{dash}"' if dash else ""
        self.parts.append(f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="{width}" stroke-linejoin="round"{dashed}/>')

    def area(self, points, color):
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self.parts.append(f'<polygon points="{path}" fill="{color}"/>')

    def dot(self, at, color):
        self.parts.append(f'<circle cx="{at[0]:.1f}" cy="{at[1]:.1f}" r="3.2" fill="{color}" stroke="{CARD}" stroke-width="1"/>')

    def bar(self, at, size, color):
        self.parts.append(f'<rect x="{at[0]:.1f}" y="{at[1]:.1f}" width="{max(size[0], 0.5):.1f}" height="{size[1]:.1f}" rx="1.5" fill="{color}"/>')

    def text(self, at, text, color=INK, size=12, anchor="start", bold=False, angle=0.0):
        turned = f' transform="rotate({angle:.1f} {at[0]:.1f} {at[1]:.1f})"' if angle else ""
        weight = ' font-weight="600"' if bold else ""
        self.parts.append(f'<text x="{at[0]:.1f}" y="{at[1]:.1f}" fill="{color}" font-size="{size}" text-anchor="{anchor}"{weight}{turned}>'
                          f'{escape(text)}</text>')

    def render(self, title):
        head = (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height}" width="{self.width}" height="{self.height}" '
                f'role="img" font-family="system-ui, -apple-system, Segoe UI, Helvetica, Arial, sans-serif"><title>{escape(title)}</title>')
        card = (f'<rect x="0.5" y="0.5" width="{self.width - 1}" height="{self.height - 1}" rx="8" fill="{CARD}" stroke="#d1d9e0"/>')
        return "\n".join([head, card, *self.parts, "</svg>"]) + "\n"
