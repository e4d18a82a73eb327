package drain

import "testing"

// Delivered items that are not remembered would be delivered again: whoever has more of them than
// there is room for must hear of it.
func TestAFullIndexSaysThatItRemembersNoMoreDeliveries(t *testing.T) {
	x := &Index{delivered: maxIndexDelivered - 1}
	if known, room := x.addDeliveredLocked("a.json", "1"); known || !room {
		t.Errorf("the last one that fits: known %v, room %v", known, room)
	}
	if known, room := x.addDeliveredLocked("a.json", "2"); known || room {
		t.Errorf("one more: known %v, room %v", known, room)
	}
	if known, room := x.addDeliveredLocked("a.json", "1"); !known || !room {
		t.Errorf("one that is remembered: known %v, room %v", known, room)
	}
	x.forgetLocked("a.json")
	if known, room := x.addDeliveredLocked("b.json", "2"); known || !room {
		t.Errorf("one more after another was forgotten: known %v, room %v", known, room)
	}
}
