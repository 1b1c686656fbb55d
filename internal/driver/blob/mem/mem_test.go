package mem_test

import (
	"testing"
	"time"

	"github.com/waxwing-ota/waxwing/internal/driver/blob"
	"github.com/waxwing-ota/waxwing/internal/driver/blob/blobtest"
	"github.com/waxwing-ota/waxwing/internal/driver/blob/mem"
)

func TestSuite(t *testing.T) {
	blobtest.Run(t, func(_ *testing.T, now func() time.Time) blob.Store { return mem.New(now) })
}
